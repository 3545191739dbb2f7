// Problem: an update calls an inline function, a method or an instance of a template that it defines itself, as its
// source has it. If the program exports a function of that name, the dynamic linker leads the call there: to the body
// that the program was compiled with, even where the update changed it.
//
// Approach: the update calls its own copy (update_binding.cpp). But a function that is redefined is redefined for all:
// as long as the program's is redirected, to a new version or to a gate, the update's calls lead to the program's, and
// so to the new version. A change of the entry of the program's function leads these calls in the same stop.
//
// Limits: pointers to the function, and calls through the same slot as such a pointer, are the program's.
#include "code/own_calls.hpp"

#include <algorithm>
#include <atomic>
#include <span>

#include "base/guarded.hpp"

namespace moult::internal {
namespace {

/// Sorted by the program's functions.
using OwnCalls = std::vector<OwnCall>;

/// Never destroyed: changes may be undone until the end of the process.
Guarded<OwnCalls>& all_own_calls() {
  static Guarded<OwnCalls>& only = *new Guarded<OwnCalls>();
  return only;
}

constinit std::atomic<bool> are_there_any = false;

std::span<const OwnCall> calls_of(const OwnCalls& all, CodeAddress function) {
  const auto first = std::ranges::lower_bound(all, function, {}, &OwnCall::function);
  const auto last = std::ranges::upper_bound(all, function, {}, &OwnCall::function);
  return {first, last};
}

void lead(const OwnCall& call, bool is_redirected) noexcept {
  const CodeAddress target = is_redirected ? call.function : call.copy;
  std::atomic_ref(*reinterpret_cast<CodeAddress*>(call.slot)).store(target, std::memory_order_relaxed);
}

}  // namespace

void add_own_calls(const std::vector<OwnCall>& calls, const std::function<bool(CodeAddress)>& is_redirected) {
  if (calls.empty()) return;
  are_there_any = true;
  // No stop is granted in between, and so no function is redirected.
  all_own_calls().with([&](OwnCalls& all) {
    const auto added = all.insert(all.end(), calls.begin(), calls.end());
    std::ranges::sort(added, all.end(), {}, &OwnCall::function);
    std::ranges::inplace_merge(all, added, {}, &OwnCall::function);
    for (const OwnCall& call : calls) lead(call, is_redirected(call.function));
  });
}

bool has_own_calls() noexcept { return are_there_any; }

std::vector<CodeAddress> own_copies_of(CodeAddress function) {
  return all_own_calls().with([function](const OwnCalls& all) {
    std::vector<CodeAddress> copies;
    for (const OwnCall& call : calls_of(all, function)) copies.push_back(call.copy);
    return copies;
  });
}

CodeAddress without_own_copy(CodeAddress code) {
  return all_own_calls().with([code](const OwnCalls& all) {
    const auto found = std::ranges::find(all, code, &OwnCall::copy);
    return found == all.end() ? code : found->function;
  });
}

void lead_own_calls(CodeAddress function, bool is_redirected) noexcept {
  all_own_calls().with([&](const OwnCalls& all) {
    for (const OwnCall& call : calls_of(all, function)) lead(call, is_redirected);
  });
}

}  // namespace moult::internal
