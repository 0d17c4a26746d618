/* The answer that the storm's guest sends and its client expects. */
#ifndef STORM_ANSWER_H
#define STORM_ANSWER_H

enum { LONGEST = 16384 };

static void fill_answer(unsigned char *answer, unsigned number, unsigned length) {
  for (unsigned i = 0; i < length; i++) answer[i] = (unsigned char)(number * 31 + i * 7 + i / 251);
}

#endif
