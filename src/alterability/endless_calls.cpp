// Why: an update that waits for the quiescence of main, or of a thread's loop, waits for ever. Its author should know
// before it is applied.
//
// How: a call in progress does not end before its thread if it is of main, if the function's code has no way out, or if
// only code that starts threads has called it: of the C library, the C++ library, or moult.
//
// Limits: a call further inside, of a function that could return and never does, looks like any other call in progress.
// Exceptions are left out: a function without a return may be left by one.
#include "alterability/endless_calls.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/untracked_change.hpp"
#include "base/warning.hpp"
#include "code/way_out.hpp"
#include "moult/error.hpp"
#include "platform/tasks.hpp"
#include "platform/x86_64/return_stubs.hpp"
#include "symbols/name_query.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t most_frames_read = 1000;

/// The innermost frame first.
struct Stack {
  ThreadId thread{};
  std::vector<CodeAddress> frames;
};

/// Leaves out stacks that are not walked precisely to their end.
std::vector<Stack> stacks_of(const std::vector<ThreadId>& threads) {
  std::vector<Stack> stacks;
  const std::unique_ptr<StoppedWorld> stopped =
      StoppedWorld::stop({.timeout = std::chrono::milliseconds(2000), .keep_out = {}});
  for (const ThreadId thread : stopped->threads()) {
    if (thread == this_thread_id()) continue;
    if (!threads.empty() && std::find(threads.begin(), threads.end(), thread) == threads.end()) continue;
    Stack stack{thread, {}};
    bool is_precise = true;
    stopped->walk(thread, [&](const Frame& frame) {
      is_precise = frame.is_precise;
      if (!is_in_return_stub(frame.pc)) stack.frames.push_back(frame.lookup_address());
      return is_precise && stack.frames.size() < most_frames_read;
    });
    if (is_precise && stack.frames.size() < most_frames_read) stacks.push_back(std::move(stack));
  }
  return stacks;
}

/// Whether the code at `address` starts threads or calls what they run.
bool starts_threads(const Program& program, CodeAddress address) {
  constexpr std::array<std::string_view, 6> libraries{"libc.",    "libstdc++.", "libmoult.",
                                                      "libasan.", "libtsan.",   "ld-"};
  const std::optional<FunctionSymbol> function = program.at(address);
  if (!function) return false;
  const std::string_view path = function->module;
  const std::string_view file = path.substr(path.rfind('/') + 1);
  const std::string_view name = qualified_name(function->demangled);
  return name.starts_with("std::") || name.starts_with("moult::") ||
         std::any_of(libraries.begin(), libraries.end(), [&](auto library) { return file.starts_with(library); });
}

/// Why the outermost call of the function on that stack does not end. Nothing if it may, or if there is none.
std::optional<std::string> why_endless(const Program& program, const FunctionExtent& function, const Stack& stack) {
  const auto call = std::find_if(stack.frames.rbegin(), stack.frames.rend(),
                                 [&](CodeAddress frame) { return function.contains(frame); });
  if (call == stack.frames.rend()) return std::nullopt;
  const std::string thread = describe_thread(stack.thread);
  if (function.name == "main") return "main is on the stack of " + thread + " until the program ends";
  if (!may_return(function.ranges))
    return function.name + " is active in " + thread + ", and has no return instruction, so that call never ends";
  if (std::all_of(stack.frames.rbegin(), call, [&](CodeAddress frame) { return starts_threads(program, frame); }))
    return function.name + " is what " + thread + " runs from its beginning, so it is active until that thread ends";
  return std::nullopt;
}

bool is_dry_run() {
  const UntrackedChanges* const changes = UntrackedChanges::current();
  return changes != nullptr && changes->mode() == UntrackedChanges::Mode::only_noted;
}

}  // namespace

void warn_of_endless_calls(std::span<const FunctionExtent> functions, const std::vector<ThreadId>& threads) {
  if (!is_dry_run()) return;
  std::vector<Stack> stacks;
  try {
    stacks = stacks_of(threads);
  } catch (const Error& error) {
    warn(std::string("it is not known whether the functions will be quiescent: ") + error.what());
    return;
  }
  const Program program = Program::of_this_process();
  for (const FunctionExtent& function : functions)
    for (const Stack& stack : stacks)
      if (const std::optional<std::string> why = why_endless(program, function, stack))
        warn(*why + "; " + way_round_endless_calls);
}

}  // namespace moult::internal
