// Functions with gates: compiled without and with optimisation.
#pragma once

#include <atomic>

#include "subject.hpp"

namespace moult::subject {

/// Stays where `depth` is 3, then goes on downwards; 1 for each call.
long descends(Room& room, long depth);
long descends_v2(Room& room, long depth);

/// Call each other `depth` times; 1 for each call, of the old versions.
long ping(long depth);
long pong(long depth);
/// The same, 1000 for each call.
long ping_v2(long depth);
long pong_v2(long depth);
/// The first ones once more, to go back to.
long ping_v3(long depth);
long pong_v3(long depth);

/// All kinds of arguments, in registers and on the stack, summed up.
double takes_much(int a, long b, short c, unsigned d, char e, long f, double g, float h, double i, double j, double k,
                  double l, double m, double n, long o, double p);
double takes_much_v2(int a, long b, short c, unsigned d, char e, long f, double g, float h, double i, double j,
                     double k, double l, double m, double n, long o, double p);
/// The sum of `count` doubles.
double takes_any(int count, ...);
double takes_any_v2(int count, ...);

/// Whether there are vectors of 32 bytes, and the sum of those that a gated function was given: 36 when they arrive.
bool has_wide_vectors();
double calls_takes_wide();
const void* address_of_takes_wide();

/// Calls itself `depth` times, and throws innermost.
void throws_deep(Room& room, long depth);

/// How often the old and the new version were called.
struct Counts {
  std::atomic<long> old{0};
  std::atomic<long> fresh{0};
};
long counts(Counts& counted);
long counts_v2(Counts& counted);

}  // namespace moult::subject

// Functions that begin in ways that are not easily executed elsewhere.
extern "C" {
long begins_with_load(long x);
long begins_with_branch(long x);
long begins_with_call(long x);
long begins_with_indirect_call(long x);
long begins_with_return(long x);
long begins_with_loop(long x);
long begins_with_short_loop(long x);
long called_at_the_beginning(long x);
}
