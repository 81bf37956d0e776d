"""What is known of pictures, as files other programs read. Every writer takes `storage.records.Answer`s.

tables        CSV and JSON                                annotations   Label Studio and COCO
folders       class folders and the YOLO-cls layout       xmp           keywords in sidecars
plan          what of this changes the disk, listed first
changes       carried out, never overwriting         journal       the undo file, from which it is finished or taken back
"""

from .annotations import label_studio_config, to_coco, to_label_studio
from .changes import iter_carry_out, iter_finish, iter_undo
from .folders import class_folders, yolo_folders
from .journal import new_undo_file, under_way, undo_files
from .plan import Change, Done, Plan
from .tables import answer_row, prediction_row, sets_to_csv, sets_to_json, to_csv, to_json
from .xmp import sidecars

__all__ = [
    "Change",
    "Done",
    "Plan",
    "answer_row",
    "class_folders",
    "iter_carry_out",
    "iter_finish",
    "iter_undo",
    "label_studio_config",
    "new_undo_file",
    "prediction_row",
    "sets_to_csv",
    "sets_to_json",
    "sidecars",
    "to_coco",
    "to_csv",
    "to_json",
    "to_label_studio",
    "under_way",
    "undo_files",
    "yolo_folders",
]
