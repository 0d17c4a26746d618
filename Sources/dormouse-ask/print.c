#include <string.h>

#include "ask.h"

// The length in bytes of the UTF-8 character at the start of a text; 0 when it is invalid.
static size_t character(const unsigned char *text) {
  size_t length = text[0] < 0x80 ? 1 : text[0] < 0xC2 ? 0 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : text[0] < 0xF5 ? 4 : 0;
  for (size_t index = 1; index < length; index++) {
    if ((text[index] & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and code points above U+10FFFF are invalid.
  if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) || (text[0] == 0xF0 && text[1] < 0x90) ||
      (text[0] == 0xF4 && text[1] > 0x8F))
    return 0;
  return length;
}

void ask_print(FILE *out, const char *text) {
  const unsigned char *rest = (const unsigned char *)text, *end = rest + strnlen(text, ASK_TEXT);
  fputc('"', out);
  while (rest < end) {
    size_t length = character(rest);
    if (length == 0 || *rest < 0x20 || *rest == 0x7F) {
      fputc('?', out);
      rest++;
      continue;
    }
    if (rest + length > end) break;
    if (*rest == '"' || *rest == '\\') fputc('\\', out);
    fwrite(rest, 1, length, out);
    rest += length;
  }
  fputc('"', out);
}
