// A source file that is compiled with plain -O2: its functions and their callers, which know their bodies.
#pragma once

#include <complex>

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
long calls_hidden_seven();  ///< hidden_seven, which is marked and hidden
int calls_itself(int n);
long calls_reads_both(int n);

long keeps_over_atomic(int a, int b, int c, int n);     ///< over calls of counted_atomically
long keeps_over_tail(int a, int b, int c, int n);       ///< over calls of jumps_on, which jumps to jumped_to
std::complex<double> keeps_result(double a, double b);  ///< over a call of counted_before_result

extern long shown;
long keeps_variable(int n);  ///< the value of shown, over a call of counted_beside
void show(long value);

long sums_of_price(int n);
long sums_of_length(int n);
long sums_of_checked_triple(int n);

struct Label {
  long text[4];
};
Label label(int unused);  ///< passes its result in memory
long calls_label(int n);

enum class Status { ready, busy };
bool always_true();
const char* always_text();
Status always_busy();
long calls_always();

long calls_promoted(int n);  ///< passes a pointer to promoted
void pass_on(int a, int b);  ///< to `anything`, as its last act
long calls_pass_on(int n);

int serves_charge(int amount);      ///< -1 for an exception, such as that of amount 100; calls charge
int charge_elsewhere(int amount);   ///< in another source file
int charges_elsewhere(int amount);  ///< behind a handler; calls charge_elsewhere

extern long (*volatile anything)(int, int);

}  // namespace app
