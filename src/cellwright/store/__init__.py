"""Database, migrations, journal, blobs."""
