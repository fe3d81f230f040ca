"""What keeps the book: notebooks from manuscripts, a learner's own copies, screenshots."""
