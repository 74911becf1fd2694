"""Unpacks from a wheel what running and compiling against it needs; the Python in it stays behind.

Usage: python3 unpack.py WHEEL FOLDER PREFIX [PREFIX ...]
"""

import os
import shutil
import sys
import zipfile

wheel, folder, prefixes = sys.argv[1], sys.argv[2], tuple(sys.argv[3:])
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        if entry.is_dir() or not (entry.filename.startswith(prefixes) or ".dist-info/" in entry.filename):
            continue
        path = os.path.normpath(os.path.join(folder, entry.filename))
        if not path.startswith(os.path.join(os.path.normpath(folder), "")):
            sys.exit("an entry leads out of the folder: " + entry.filename)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(entry) as source, open(path, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        if (entry.external_attr >> 16) & 0o111:  # ptxas is run as a program
            os.chmod(path, 0o755)
