// SPDX-License-Identifier: Apache-2.0
// The functions copy a stream for several readers.
#ifndef HYQ_FORK_H_
#define HYQ_FORK_H_

#include "types.h"

namespace hyq {

template <unsigned words, class data_T>
void fork(stream<data_T> &data, stream<data_T> &a, stream<data_T> &b) {
Words:
    for (unsigned i = 0; i < words; i++) {
        HYQ_PIPELINE(1)
        const data_T word = data.read();
        a.write(word);
        b.write(word);
    }
}

template <unsigned words, class data_T>
void fork(stream<data_T> &data, stream<data_T> &a, stream<data_T> &b, stream<data_T> &c) {
Words:
    for (unsigned i = 0; i < words; i++) {
        HYQ_PIPELINE(1)
        const data_T word = data.read();
        a.write(word);
        b.write(word);
        c.write(word);
    }
}

template <unsigned words, class data_T>
void fork(stream<data_T> &data, stream<data_T> &a, stream<data_T> &b, stream<data_T> &c,
          stream<data_T> &d) {
Words:
    for (unsigned i = 0; i < words; i++) {
        HYQ_PIPELINE(1)
        const data_T word = data.read();
        a.write(word);
        b.write(word);
        c.write(word);
        d.write(word);
    }
}

} // namespace hyq

#endif
