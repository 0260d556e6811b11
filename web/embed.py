"""Puts HTML files into one C file: embed.py OUTPUT FUNCTION=INPUT... See src/server/page.h.

Where a page says `/* base.css */` it gets the style that all pages share.
"""
import pathlib
import sys

BYTES_A_LINE = 32
BASE = b"/* base.css */\n"


def put_page(target, function, source):
    source = pathlib.Path(source)
    page = source.read_bytes().replace(BASE, (source.parent / "base.css").read_bytes())
    rows = [", ".join(str(byte) for byte in page[at : at + BYTES_A_LINE]) for at in range(0, len(page), BYTES_A_LINE)]
    target.write(f"\nstruct str {function}(void)\n{{\n    static const unsigned char page[] = {{\n        ")
    target.write(",\n        ".join(rows))
    target.write("};\n    return (struct str){(const char *)page, sizeof(page)};\n}\n")


def main():
    output, *pages = sys.argv[1:]
    with open(output, "w") as target:
        target.write('#include "server/page.h"\n')
        for page in pages:
            put_page(target, *page.split("=", 1))


if __name__ == "__main__":
    main()
