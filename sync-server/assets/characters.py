"""The characters of the embedded font, one code point a line for pyftsubset."""

gb2312 = set()
for high in range(0xA1, 0xF8):
    for low in range(0xA1, 0xFF):
        try:
            gb2312.add(ord(bytes([high, low]).decode("gb2312")))
        except UnicodeDecodeError:
            pass
punctuation = {*range(0x2010, 0x2028), *range(0x2030, 0x2040), *range(0x3000, 0x3020)}
signs = {ord(sign) for sign in "\u00a0·²℃㎡€¥※★☆□✓√〇"}
# Of given names and of peoples, beyond GB 2312.
names = {ord(name) for name in "畲囧喆堃昇祎玥晗煊珺珮赟頔翀婳媗嫚忞怡昉昕晞晟暄"}
characters = {*range(0x20, 0x7F), *range(0xFF01, 0xFF5F)} | gb2312 | punctuation | signs | names
print("\n".join(f"U+{character:04X}" for character in sorted(characters)))
