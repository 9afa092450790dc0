"""What is said: the classes of a pipeline document and the values that flow through it."""
