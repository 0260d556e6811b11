"""Puts an HTML file into a C file: embed.py INPUT OUTPUT. See src/server/page.h."""
import sys


def main():
    source, target = sys.argv[1:]
    with open(source, "rb") as file:
        page = file.read()
    rows = [", ".join(str(byte) for byte in page[at : at + 32]) for at in range(0, len(page), 32)]
    with open(target, "w") as file:
        file.write('#include "server/page.h"\n\nstatic const unsigned char page[] = {\n    ')
        file.write(",\n    ".join(rows))
        file.write("};\n\nstruct str page_html(void)\n{\n")
        file.write("    return (struct str){(const char *)page, sizeof(page)};\n}\n")


if __name__ == "__main__":
    main()
