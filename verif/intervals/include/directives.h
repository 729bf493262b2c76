// Directives of target.h become calls that stay where they are, for the schedule check.
//
// A directive about an array names it, because a pointer to it would forbid LLVM to keep the array
// in registers. A dimension of an array is a pair of distances in bytes: between neighbours of the
// dimension, and between neighbours of the dimension around it.
#ifndef HYQ_SCHEDULE_DIRECTIVES_H_
#define HYQ_SCHEDULE_DIRECTIVES_H_

extern "C" {
/// LLVM may neither copy nor remove these, so a loop that holds one is neither unrolled nor peeled.
void hyq_pipeline(int interval) __attribute__((noduplicate, nothrow));
void hyq_partition(const char *array, int outer, int inner) __attribute__((nothrow));
void hyq_reshape(const char *array, int outer, int inner) __attribute__((nothrow));
void hyq_rom(const char *array) __attribute__((nothrow));
void hyq_dependence(const char *array, int iterations) __attribute__((noduplicate, nothrow));
}

namespace hyq {
namespace schedule {

template <class T, int depth> struct part;
template <class T> struct part<T, 0> {
    static const int bytes = sizeof(T);
};
template <class T, unsigned long size> struct part<T[size], 0> {
    static const int bytes = sizeof(T[size]);
};
template <class T, unsigned long size, int depth> struct part<T[size], depth> {
    static const int bytes = part<T, depth - 1>::bytes;
};
template <class T, int depth> struct part<T &, depth> : part<T, depth> {};

} // namespace schedule
} // namespace hyq

#undef HYQ_PIPELINE
#define HYQ_PIPELINE(interval) hyq_pipeline(interval);
#undef HYQ_UNROLL
#define HYQ_UNROLL _Pragma("unroll")
#undef HYQ_PARTITION
#define HYQ_PARTITION(array, dimension)                                                            \
    hyq_partition(#array, hyq::schedule::part<decltype(array), dimension - 1>::bytes,              \
                  hyq::schedule::part<decltype(array), dimension>::bytes);
#undef HYQ_RESHAPE
#define HYQ_RESHAPE(array, dimension)                                                              \
    hyq_reshape(#array, hyq::schedule::part<decltype(array), dimension - 1>::bytes,                \
                hyq::schedule::part<decltype(array), dimension>::bytes);
#undef HYQ_ROM
#define HYQ_ROM(array) hyq_rom(#array);
#undef HYQ_DEPENDENCE
#define HYQ_DEPENDENCE(array, iterations) hyq_dependence(#array, iterations);
#undef HYQ_NO_DEPENDENCE
#define HYQ_NO_DEPENDENCE(array) hyq_dependence(#array, 0x7fffffff);

#endif
