"""The history of the tables; `Database` brings a file to the newest when it opens it."""
