"""What is known of pictures, as files other programs read. Every writer takes `storage.records.Answer`s.

tables        CSV and JSON                                annotations   Label Studio and COCO
folders       class folders and the YOLO-cls layout       xmp           keywords in sidecars
changes       what of this changes the disk: listed first, never overwriting, and taken back by an undo file
"""

from .annotations import label_studio_config, to_coco, to_label_studio
from .changes import Change, Done, Plan, iter_carry_out, iter_undo, new_undo_file, undo_files
from .folders import class_folders, yolo_folders
from .tables import answer_row, prediction_row, to_csv, to_json
from .xmp import sidecars

__all__ = [
    "Change",
    "Done",
    "Plan",
    "answer_row",
    "class_folders",
    "iter_carry_out",
    "iter_undo",
    "label_studio_config",
    "new_undo_file",
    "prediction_row",
    "sidecars",
    "to_coco",
    "to_csv",
    "to_json",
    "to_label_studio",
    "undo_files",
    "yolo_folders",
]
