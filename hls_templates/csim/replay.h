// SPDX-License-Identifier: Apache-2.0
// Recorded processes run again, with bounded queues and a clock.
//
// Every process has a clock of its own. A read waits for its word, a write waits until its place in
// the queue is free, and both move the clock of their process only. So the order in which processes
// are served changes no time. When nobody can go on, that is a deadlock of every schedule, because
// such processes are determinate (Kahn, 1974).
#ifndef HYQ_CSIM_REPLAY_H_
#define HYQ_CSIM_REPLAY_H_

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "trace.h"

namespace hyq {
namespace csim {

typedef long long cycle;

/// The most words that lie in a queue at a time. Reads and writes come in any order of time.
class occupancy {
  public:
    unsigned peak = 0;

    void write(cycle at) {
        writes_.push_back(at);
        settle();
    }
    void read(cycle at) {
        reads_.push_back(at);
        settle();
    }

  private:
    std::deque<cycle> writes_, reads_;
    unsigned words_ = 0;

    void settle() {
        while (!writes_.empty() && !reads_.empty()) {
            if (writes_.front() <= reads_.front()) {
                writes_.pop_front();
                peak = std::max(peak, ++words_);
            } else {
                reads_.pop_front();
                words_--;
            }
        }
    }
};

/// A stream of at most as many words as it has places. A place holds the cycle of its last use.
struct queue {
    std::vector<cycle> places;
    unsigned long written = 0, read = 0;
    occupancy waiting;

    cycle &written_place() { return places[written % places.size()]; }
    cycle &read_place() { return places[read % places.size()]; }
    bool is_full() const { return written - read == places.size(); }
    bool is_empty() const { return written == read; }
};

/// A process that goes through its trace, once per frame.
struct actor {
    struct word {
        cycle due; ///< cycle at which it leaves the pipeline
        unsigned stream;
    };

    unsigned latency = 0; ///< cycles from the read to the write of an iteration
    std::size_t next = 0; ///< the next step
    unsigned frame = 0;
    cycle at = 0;           ///< cycles of its own
    cycle stalled = 0;      ///< cycles in which it waited
    std::deque<word> inside; ///< words in the pipeline, which stands still while the process waits
    const step *waits = nullptr;
    step blocked;
};

class replay {
  public:
    std::vector<cycle> frame_ends; ///< cycle at which the last process ends each frame

    /// \param depths     words of every stream.
    /// \param latencies  depth of the pipelines of every process.
    /// \param pace       cycles from frame to frame at the input, whose words come at a steady rate;
    ///                   0 offers them at once.
    replay(const trace &run, const unsigned *depths, const unsigned *latencies, unsigned frames,
           cycle pace)
        : run_(run), frames_(frames), pace_(pace), actors_(run.processes.size()),
          queues_(run.streams.size()) {
        for (std::size_t i = 0; i < queues_.size(); i++) {
            queues_[i].places.resize(depths[i]);
        }
        for (std::size_t i = 0; i < actors_.size(); i++) {
            actors_[i].latency = latencies[i];
            ready_.push_back(i);
        }
        while (!ready_.empty()) {
            const std::size_t served = ready_.back();
            ready_.pop_back();
            serve(served);
        }
        for (const actor &self : actors_) {
            if (self.waits != nullptr) {
                throw std::runtime_error(deadlock());
            }
        }
    }

    unsigned peak(std::size_t stream) const { return queues_[stream].waiting.peak; }

  private:
    const trace &run_;
    const unsigned frames_;
    const cycle pace_;
    std::vector<actor> actors_;
    std::vector<queue> queues_;
    std::vector<std::size_t> ready_;

    /// Runs a process until it must wait, or has ended.
    void serve(std::size_t index) {
        actor &self = actors_[index];
        const process_trace &program = run_.processes[index];
        if (program.steps.empty()) {
            return; // its processes do the work
        }
        while (self.frame < frames_) {
            const std::size_t words = program.steps.size();
            if (index == 0) { // The input comes at a steady rate.
                const cycle due = pace_ * cycle(self.frame * words + self.next) / cycle(words);
                self.stalled = std::max(self.stalled, due - self.at);
            }
            if (self.next == words) {
                if (!empty_pipeline(self)) {
                    return;
                }
                self.at += program.cycles;
                self.next = 0;
                self.frame++;
                if (index + 1 == actors_.size()) {
                    frame_ends.push_back(self.at + self.stalled);
                }
            } else if (go(self, program.steps[self.next])) {
                self.next++;
            } else {
                return;
            }
        }
    }

    /// Makes one step; returns whether it was possible.
    bool go(actor &self, const step &next) {
        const cycle at = self.at + next.cycles;
        if (next.what == step::leave) {
            return empty_pipeline(self);
        }
        // A pipeline that waits for its input keeps the word that would leave it in this cycle.
        while (!self.inside.empty() && self.inside.front().due < at + (self.latency == 0)) {
            if (!send(self)) {
                return false;
            }
        }
        if (next.what == step::write_late) {
            self.inside.push_back({at + self.latency, next.stream});
        } else if (!(next.what == step::write ? put(self, next.stream, at)
                                              : take(self, next, at))) {
            return false;
        }
        self.at = at;
        return true;
    }

    bool empty_pipeline(actor &self) {
        while (!self.inside.empty()) {
            const cycle due = self.inside.front().due;
            if (!send(self)) {
                return false;
            }
            self.at = std::max(self.at, due);
        }
        return true;
    }

    bool send(actor &self) {
        if (!put(self, self.inside.front().stream, self.inside.front().due)) {
            return false;
        }
        self.inside.pop_front();
        return true;
    }

    bool take(actor &self, const step &next, cycle at) {
        queue &from = queues_[next.stream];
        if (from.is_empty()) {
            return wait(self, next.stream, step::read);
        }
        if (next.what == step::look) {
            cycle place = from.read_place();
            use(self, place, at);
            return true;
        }
        use(self, from.read_place(), at);
        from.waiting.read(at + self.stalled);
        from.read++;
        wake(run_.streams[next.stream].writer, next.stream);
        return true;
    }

    bool put(actor &self, unsigned stream, cycle at) {
        queue &to = queues_[stream];
        if (to.is_full()) {
            return wait(self, stream, step::write);
        }
        use(self, to.written_place(), at);
        to.waiting.write(at + self.stalled);
        to.written++;
        wake(run_.streams[stream].reader, stream);
        return true;
    }

    /// Uses a place one cycle after its last use, or later.
    void use(actor &self, cycle &place, cycle at) {
        self.waits = nullptr;
        self.stalled = std::max(self.stalled, place + 1 - at);
        place = at + self.stalled;
    }

    bool wait(actor &self, unsigned stream, step::kind what) {
        self.blocked = {0, stream, what};
        self.waits = &self.blocked;
        return false;
    }

    void wake(std::size_t other, unsigned stream) {
        if (other != stream_trace::nobody && actors_[other].waits != nullptr &&
            actors_[other].waits->stream == stream) {
            actors_[other].waits = nullptr;
            ready_.push_back(other);
        }
    }

    /// The process that must go on first.
    std::size_t waits_for(std::size_t index) const {
        const step &wanted = *actors_[index].waits;
        const stream_trace &stream = run_.streams[wanted.stream];
        return wanted.what == step::read ? stream.writer : stream.reader;
    }

    bool is_waiting(std::size_t index) const {
        return index != stream_trace::nobody && actors_[index].waits != nullptr;
    }

    std::string deadlock() const {
        std::size_t start = 0;
        while (!is_waiting(start)) {
            start++;
        }
        // After as many steps as there are processes, the walk is in the circle.
        for (std::size_t i = 0; i < actors_.size() && is_waiting(waits_for(start)); i++) {
            start = waits_for(start);
        }
        std::string full, circle;
        std::size_t at = start;
        do {
            circle += (circle.empty() ? "" : "; ") + explained(at);
            const step &wanted = *actors_[at].waits;
            if (wanted.what == step::write) {
                full += (full.empty() ? "" : " or ") + run_.streams[wanted.stream].name;
            }
            at = waits_for(at);
        } while (at != start && is_waiting(at));
        std::string others;
        std::size_t count = 0;
        for (std::size_t i = 0; i < actors_.size(); i++) {
            if (is_waiting(i) && circle.find(explained(i)) == std::string::npos && count++ < 20) {
                others += "\n  " + explained(i);
            }
        }
        if (count > 20) {
            others += "\n  and " + std::to_string(count - 20) + " more";
        }
        return "deadlock in frame " + std::to_string(actors_[start].frame) + ": " + circle +
               "; raise the depth of " + full +
               (others.empty() ? "" : "\nbehind them wait:" + others);
    }

    std::string explained(std::size_t index) const {
        const step &wanted = *actors_[index].waits;
        const stream_trace &stream = run_.streams[wanted.stream];
        const std::size_t places = queues_[wanted.stream].places.size();
        return run_.processes[index].name +
               (wanted.what == step::read
                    ? " reads " + stream.name + ", which is empty"
                    : " writes " + stream.name + ", which is full (depth " +
                          std::to_string(places) + ")");
    }
};

} // namespace csim
} // namespace hyq

#endif
