"""What a run came to, for people: one HTML page (`page`) and a short text (`text`), from the result document alone."""
