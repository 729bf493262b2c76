// A stand-in for the hls_stream.h of Bambu 2024.10, for C simulation.
//
// hls::stream is another name of ac_channel. In synthesis it has only a constructor without
// arguments, cannot be copied, and moves its words by the functions of its class fifo.
#ifndef STAND_IN_HLS_STREAM_H_
#define STAND_IN_HLS_STREAM_H_

#include <deque>

template <class T> class ac_channel {
  public:
    class fifo {
      public:
        T read() {
            if (words.empty()) {
                throw "a FIFO is read while empty";
            }
            const T word = words.front();
            words.pop_front();
            return word;
        }
        void write(const T &word) { words.push_back(word); }

      private:
        std::deque<T> words;
    };

    ac_channel() : chan() {}
    ac_channel(const ac_channel &) = delete;
    ac_channel &operator=(const ac_channel &) = delete;

    T read() { return chan.read(); }
    void write(const T &word) { chan.write(word); }

  private:
    fifo chan;
};

namespace hls {
template <class T> using stream = ac_channel<T>;
} // namespace hls

#endif
