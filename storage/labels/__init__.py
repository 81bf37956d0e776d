"""What people say of pictures: moves, undo, labels that come in and answers that go out."""
