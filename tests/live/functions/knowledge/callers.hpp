// A source file that is compiled with plain -O2: its functions and their callers, which know their bodies.
#pragma once

#include "moult/relinking.hpp"

namespace app {

extern const bool by_clang;  ///< this file was compiled by clang
extern int calls;            ///< of what counts them
extern volatile int factor;

long keeps_registers(int a, int b, int c, int n);  ///< over calls of counted
long keeps_nothing(int n);                         ///< over calls of counted_alone
long calls_unaligned(int n);                       ///< counted_unaligned
long keeps_over_two(int a, int b, int c, int n);   ///< over calls of middle, which calls innermost
long calls_marked(int a, int b, int c, int n);
long calls_noisy(int a, int b, int c, int n);
long passes_on(int a, int b);  ///< the arguments of checked, to a function that is not known
long sums_of_triple(int n);    ///< the same sum n times
long sums_of_base(int n);

MOULT_UPDATABLE int marked(int x);
MOULT_UPDATABLE int marked_triple(int x);
long sums_of_marked_triple(int n);

long calls_second(int n);
long calls_shared_second(int n);
int shared_second(int unused, int x);
long calls_always_seven();
int calls_itself(int n);
long calls_reads_both(int n);

extern long (*volatile anything)(int, int);

}  // namespace app
