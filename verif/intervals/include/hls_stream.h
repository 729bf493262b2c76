// This is hls::stream for the schedule check. A transfer becomes a call that LLVM cannot look into.
//
// Every lane of a word is a value of its own, of exact width, so no word lies in memory.
#ifndef HYQ_SCHEDULE_STREAM_H_
#define HYQ_SCHEDULE_STREAM_H_

#include "ap_int.h"

extern "C" {
/// Names the word that is read; `bits` is its width.
unsigned hyq_read(const void *stream, int bits) __attribute__((nothrow));
void hyq_write(const void *stream, int bits) __attribute__((nothrow));
}

namespace hyq {
namespace schedule {

template <class T> T lane(unsigned word, unsigned index) __attribute__((const));
template <class T> void put(unsigned index, T value) __attribute__((nothrow));

} // namespace schedule
} // namespace hyq

namespace hls {

template <class T> class stream {
  public:
    stream() {}
    explicit stream(const char *) {}
    stream(const stream &) = delete;
    stream &operator=(const stream &) = delete;

    T read() {
        const unsigned name = hyq_read(this, bits);
        T word;
        _Pragma("unroll") for (unsigned i = 0; i < T::size; i++) {
            word[i].value = hyq::schedule::lane<storage_t>(name, i);
        }
        return word;
    }

    void write(const T &word) {
        hyq_write(this, bits);
        _Pragma("unroll") for (unsigned i = 0; i < T::size; i++) {
            hyq::schedule::put<storage_t>(i, word[i].value);
        }
    }

  private:
    typedef typename T::value_type value_t;
    typedef typename value_t::storage_t storage_t;
    static const int bits = bitint::operand<value_t>::bits * int(T::size);

    char place; ///< two streams have two addresses
};

} // namespace hls

#endif
