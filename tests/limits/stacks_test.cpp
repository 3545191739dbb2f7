// Changes of stacks and pointers that are refused, with the program as it was.
#include <functional>
#include <string>

#include "moult/redirection.hpp"
#include "moult/stack.hpp"
#include "refusal.hpp"
#include "stacks_test/functions.hpp"

namespace subject {

using limits::expect_error;
using moult::ErrorCode;
using moult::update_local_var;

std::string line_of(const char* file, int line) { return std::string(file) + ":" + std::to_string(line); }

TEST(StackLimits, AVariableThatIsOptimizedOutIsRefusedWithItsPlace) {
  forget([] {
    expect_error(
        ErrorCode::unsupported,
        {"gone of subject::forget(void (*)()): optimized out at ", line_of(functions_file, forget_line) + " in ",
         "; declare it volatile, or compile that source file with -O0 or -Og; nothing was changed"},
        [] { update_local_var(forget, "gone", 1); });
  });
}

TEST(StackLimits, AVariableOfAnotherTypeIsRefused) {
  expect_error(ErrorCode::signature_mismatch,
               {"kept of subject::keep(void (*)()) is of type int, not long; ask for it by its own type"},
               [] { update_local_var(keep, "kept", 1L); });
}

TEST(StackLimits, ANameThatIsNotThereIsRefusedWithThoseThatAre) {
  expect_error(
      ErrorCode::not_found,
      {"missing of subject::keep(void (*)()): it has no variable or parameter of that name; there are ", "kept"},
      [] { update_local_var(keep, "missing", 1); });
}

TEST(StackLimits, AFunctionWithInlinedCopiesIsRefusedWithThem) {
  expect_error(ErrorCode::inlined,
               {"doubled of subject::copied(int): the function is inlined at ", "functions.cpp:",
                "mark it "
                "MOULT_UPDATABLE"},
               [] { update_local_var(copied_function(), "doubled", 1); });
}

TEST(StackLimits, AThreadThatHasEndedIsRefused) {
  expect_error(ErrorCode::not_found, {"kept of ", ": thread 1 is not in the program; it may have ended"}, [] {
    update_local_var(keep, "kept", 1, {.threads = {moult::ThreadId{1}}, .timeout = std::chrono::seconds(10)});
  });
  expect_error(ErrorCode::not_found, {"thread 1: there is no such thread in the program; it may have ended"},
               [] { moult::read_stack(moult::ThreadId{1}); });
}

TEST(StackLimits, AVariableThatIsOutOfScopeIsRefused) {
  scoped([] {
    expect_error(ErrorCode::unsupported,
                 {"inside of subject::scoped(void (*)()): not in scope at ",
                  "nothing was "
                  "changed"},
                 [] { update_local_var(scoped, "inside", 1); });
  });
}

TEST(RedirectionLimits, APointerThatNothingHoldsIsRefused) {
  expect_error(ErrorCode::not_found,
               {"no pointer of type void (*)(void (*)()) that the program's variables lead to "
                "holds the old target"},
               [] { moult::redirect_pointer(&keep, &scoped); });
}

TEST(RedirectionLimits, APointerInReadOnlyMemoryRefusesAll) {
  expect_error(ErrorCode::unsupported,
               {"subject::read_only_callback holds the old target and is in memory that cannot "
                "be written",
                "no pointer was changed"},
               [] { moult::redirect_pointer(&first_callback, &second_callback); });
  EXPECT_EQ(writable_callback, &first_callback);
}

TEST(RedirectionLimits, ANullPointerIsRefused) {
  expect_error(ErrorCode::invalid_argument, {"a null pointer of type int (*)() is no target"},
               [] { moult::redirect_pointer(&first_callback, nullptr); });
}

}  // namespace subject
