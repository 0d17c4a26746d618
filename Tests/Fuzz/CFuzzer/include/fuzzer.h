/* libFuzzer's way in for a program that has a main of its own. */
#ifndef DORMOUSE_FUZZER_H
#define DORMOUSE_FUZZER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one_input)(const uint8_t *bytes, size_t count));

#endif
