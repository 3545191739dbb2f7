// Problem: a compiler that sees that a function throws nothing leaves out the handlers and the clean-up around its
// calls, whatever the flags. If a new version throws there, the program ends (std::terminate), and the handler that the
// source has around the call does not run. MOULT_UPDATABLE keeps the compiler from looking.
//
// Approach: a caller's exception table does not mention calls that throw nothing. So a call that it does not mention is
// a place where nothing may be thrown. Only a table that mentions other calls shows that: that of a noexcept function
// mentions none, and there an exception ends the program by the program's own word. clang describes such a call
// together with its neighbours, as one without a handler: where clang may have known the function, that is such a
// place, too. A jump to a function, in place of a call and a return, is not in the table; out of a function that has
// one, it counts as such a place. Whether an exception can come out of a function is decided by its code and that of
// all it calls: it can where a call that the function's own table lets out leads to code that is not known, or that is
// the C++ runtime's.
//
// Limits: a caller without any table says nothing: it has nothing to clean up, or the compiler has left everything out.
// Its own callers are looked at, and theirs, ten deep. clang knows a function that is declared noexcept in another
// source file, too, which nothing shows, and is not recognised without debug information. The C library counts as
// throwing nothing, though it passes on what callbacks throw (qsort). Calls through a linkage table are not looked at;
// what they reach may be another module's function of that name, so the compiler knows nothing of it (but for inline
// functions in a shared library).
#include "functions/escaping_exceptions.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/fault.hpp"
#include "code/branches.hpp"
#include "code/decoder.hpp"
#include "code/function_body.hpp"
#include "code/linkage_stub.hpp"
#include "code/patch.hpp"
#include "functions/mark_advice.hpp"
#include "symbols/compilation.hpp"
#include "unwind/exception_table.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace {

using namespace std::string_view_literals;

/// They throw nothing of their own.
constexpr std::array quiet_libraries = {"libc.so"sv,  "libc-"sv,      "libm.so"sv,    "libm-"sv,    "libpthread"sv,
                                        "ld-linux"sv, "libdl"sv,      "librt"sv,      "libgcc_s"sv, "linux-vdso"sv,
                                        "[vdso]"sv,   "libasan.so"sv, "libtsan.so"sv, "libubsan"sv};

/// Of the C++ runtime: they throw nothing, or go on with what was thrown elsewhere.
constexpr std::array quiet_functions = {"__cxa_begin_catch"sv,   "__cxa_end_catch"sv,      "__cxa_guard_acquire"sv,
                                        "__cxa_guard_release"sv, "__cxa_guard_abort"sv,    "__cxa_atexit"sv,
                                        "__cxa_pure_virtual"sv,  "__cxa_free_exception"sv, "__clang_call_terminate"sv,
                                        "_ZSt9terminatev"sv,     "__cxa_thread_atexit"sv};

/// Where exceptions come from; a sanitizer's names for its own begin differently.
constexpr std::array loud_endings = {"cxa_throw"sv, "cxa_rethrow"sv, "_Unwind_RaiseException"sv,
                                     "_Unwind_Resume_or_Rethrow"sv, "_Unwind_ForcedUnwind"sv};

std::vector<CodeRange> parts_of(const FunctionSymbol& function) {
  std::vector<CodeRange> parts{function.range};
  parts.insert(parts.end(), function.fragments.begin(), function.fragments.end());
  return parts;
}

/// Decides whether exceptions can come out of functions, and remembers those they cannot come out of.
class ThrowSearch final {
 public:
  explicit ThrowSearch(const Program& program) : program_(program) {}

  /// In doubt true.
  bool can_throw(CodeAddress function) {
    constexpr std::size_t most = 1000;  // of the functions to read
    std::set<CodeAddress> seen{function};
    std::vector<CodeAddress> open{function};
    while (!open.empty()) {
      const CodeAddress next = open.back();
      open.pop_back();
      if (quiet_.contains(next)) continue;
      const std::optional<std::vector<CodeAddress>> called = called_by(next);
      if (!called || seen.size() > most) return true;
      for (CodeAddress callee : *called)
        if (seen.insert(callee).second) open.push_back(callee);
    }
    quiet_.merge(seen);
    return false;
  }

 private:
  enum class Known { throws, quiet, by_its_code };

  static Known known_of(const FunctionSymbol& symbol) {
    const auto ends = [&](std::string_view ending) { return symbol.mangled.ends_with(ending); };
    if (std::any_of(loud_endings.begin(), loud_endings.end(), ends)) return Known::throws;
    const std::string_view file = std::string_view(symbol.module).substr(symbol.module.rfind('/') + 1);
    const auto begins = [file](std::string_view name) { return file.starts_with(name); };
    if (std::any_of(quiet_libraries.begin(), quiet_libraries.end(), begins)) return Known::quiet;
    const bool is_quiet =
        std::find(quiet_functions.begin(), quiet_functions.end(), symbol.mangled) != quiet_functions.end();
    return is_quiet ? Known::quiet : Known::by_its_code;
  }

  /// The functions out of which an exception would come out of this one, too. Nothing when they are not all known.
  std::optional<std::vector<CodeAddress>> called_by(CodeAddress function) const {
    const std::optional<FunctionSymbol> symbol = program_.at(function);
    if (!symbol) return std::nullopt;
    const Known known = known_of(*symbol);
    if (known == Known::quiet) return std::vector<CodeAddress>();
    if (known == Known::throws || symbol->range.begin != function) return std::nullopt;
    const std::vector<CodeRange> parts = parts_of(*symbol);
    std::vector<CodeAddress> called;
    for (const CodeRange& part : parts)
      if (!add_called(part, parts, called)) return std::nullopt;
    return called;
  }

  bool add_called(CodeRange part, const std::vector<CodeRange>& parts, std::vector<CodeAddress>& called) const {
    const std::vector<std::uint8_t> bytes = original_code(part);
    for (std::size_t offset = 0; offset < bytes.size();) {
      const CodeAddress at = part.begin + offset;
      const std::optional<Instruction> instruction = decode(std::span(bytes).subspan(offset), at);
      if (!instruction) return false;
      offset += instruction->length;
      if (!leaves(*instruction, parts) || is_unmentioned(at) || is_table_jump(*instruction, at, parts)) continue;
      const std::optional<CodeAddress> callee = callee_of(*instruction);
      if (!callee) return false;
      called.push_back(*callee);
    }
    return true;
  }

  static bool leaves(const Instruction& instruction, const std::vector<CodeRange>& parts) {
    if (instruction.is_call || instruction.kind == InstructionKind::indirect_jump) return true;
    if (instruction.kind != InstructionKind::direct_jump) return false;
    return std::none_of(parts.begin(), parts.end(),
                        [&](const CodeRange& part) { return part.contains(*instruction.target); });
  }

  static bool is_table_jump(const Instruction& instruction, CodeAddress at, const std::vector<CodeRange>& parts) {
    if (instruction.kind != InstructionKind::indirect_jump || instruction.pointer) return false;
    const std::optional<FunctionBody> body = FunctionBody::read(parts);
    return body && !body->leaves(body->steps().at(at));
  }

  /// The function's own exception table lets nothing out from there.
  static bool is_unmentioned(CodeAddress call) {
    const std::optional<FrameHandling> frame = frame_handling_at(call);
    if (!frame || frame->exception_table == nullptr) return false;
    const CallSite site = handling_of_call(*frame, call + 1).site;
    return site == CallSite::unmentioned || site == CallSite::forbids || site == CallSite::handles;
  }

  std::optional<CodeAddress> callee_of(const Instruction& instruction) const {
    std::optional<std::uintptr_t> slot = instruction.pointer;
    if (instruction.target && !program_.module_at(*instruction.target)) return std::nullopt;  // no code, but data in it
    if (instruction.target) slot = slot_of_stub(*instruction.target);
    return slot ? destination_of(*slot) : instruction.target;
  }

  const Program& program_;
  std::set<CodeAddress> quiet_;
};

/// Calls of functions at which the caller's exception table allows no exception, or hides where it would be handled, by
/// function. Of a caller that ends by jumping to one, or has no table, the callers count, too: the compiler may have
/// known that it throws nothing either.
class ForbiddingCalls final {
 public:
  ForbiddingCalls(const Program& program, const std::vector<FunctionSymbol>& functions) : program_(program) {
    std::map<std::size_t, std::vector<CodeAddress>> by_module;
    for (const FunctionSymbol& function : functions) {
      reached_[function.range.begin] = {{function.range.begin}, !is_marked(program, function)};
      if (const std::optional<std::size_t> module = program.module_at(function.range.begin))
        by_module[*module].push_back(function.range.begin);
    }
    for (const auto& [module, entries] : by_module) search(executable_in(program.modules()[module].text), entries);
  }

  /// A call of `function`; nothing if there is none of the kind.
  std::optional<CodeAddress> of(CodeAddress function) const {
    const auto found = calls_.find(function);
    return found == calls_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  void search(const std::vector<CodeRange>& code, std::vector<CodeAddress> targets) {
    constexpr int most_rounds = 10;  // each reads all code
    for (int round = 0; round < most_rounds && !targets.empty(); ++round) {
      std::sort(targets.begin(), targets.end());
      std::vector<CodeAddress> next;
      for (const CodeRange& range : code)
        for (const Branch& branch : branches_to(targets, range)) {
          note(branch);
          const CodeAddress caller = function_at(branch);
          if (!passes_on(branch) || reached_.contains(caller)) continue;
          reached_[caller] = {reached_.at(branch.target).functions, may_have_known(branch) && !is_marked_at(caller)};
          next.push_back(caller);
        }
      targets = std::move(next);
    }
  }

  CodeAddress function_at(const Branch& branch) const {
    const std::optional<FunctionSymbol> symbol = program_.at(branch.at);
    return symbol ? symbol->range.begin : branch.code.begin;
  }

  /// An exception goes on to the callers of the function around the branch.
  static bool passes_on(const Branch& branch) {
    const std::optional<FrameHandling> frame = frame_handling_at(branch.at);
    return !branch.is_call || !frame || frame->exception_table == nullptr;
  }

  bool is_marked_at(CodeAddress function) const {
    const std::optional<FunctionSymbol> symbol = program_.at(function);
    return symbol && is_marked(program_, *symbol);
  }

  /// The compiler of the branch may have seen that nothing is thrown there.
  bool may_have_known(const Branch& branch) const {
    return reached_.at(branch.target).may_be_known && may_share_source(program_, branch.at, branch.target);
  }

  /// The table lets no exception out of the call, or does not show the handler that the source may have there.
  bool forbids(const Branch& call, const FrameHandling& frame) const {
    const CallSite site = handling_of_call(frame, call.at + 1).site;
    if (site == CallSite::unmentioned) return true;
    const bool is_clang = compilation_at(program_, call.at).compiler() == Compilation::Compiler::clang;
    return site == CallSite::passes && is_clang && may_have_known(call);
  }

  /// Whether a table of the function around `place` does: it may have a part with a table of its own.
  bool mentions_any_call(CodeAddress place) const {
    const std::optional<FunctionSymbol> symbol = program_.at(place);
    if (!symbol) return true;
    const std::vector<CodeRange> parts = parts_of(*symbol);
    return std::any_of(parts.begin(), parts.end(), [](const CodeRange& part) {
      const std::optional<FrameHandling> frame = frame_handling_at(part.begin);
      return frame && mentions_calls(*frame);
    });
  }

  /// A jump out of a function with a table may have had a handler around it.
  void note(const Branch& branch) {
    const std::optional<FrameHandling> frame = frame_handling_at(branch.at);
    if (!frame || frame->exception_table == nullptr || !mentions_any_call(branch.at)) return;
    if (branch.is_call && !forbids(branch, *frame)) return;
    for (CodeAddress function : reached_.at(branch.target).functions) calls_.try_emplace(function, branch.at);
  }

  struct Reached {
    std::vector<CodeAddress> functions;  ///< that it leads to
    bool may_be_known = false;           ///< to callers in its source file, as one that throws nothing
  };

  const Program& program_;
  std::map<CodeAddress, Reached> reached_;    ///< by what is called
  std::map<CodeAddress, CodeAddress> calls_;  ///< by function
};

}  // namespace

void refuse_escaping_exceptions(const Program& program, const std::vector<FunctionSymbol>& olds,
                                const std::vector<FunctionSymbol>& replacements, Refusals& refusals) {
  MOULT_FAULT("functions.prepare.exceptions");
  const ForbiddingCalls calls(program, olds);
  ThrowSearch search(program);
  for (std::size_t i = 0; i < olds.size(); ++i) {
    const std::optional<CodeAddress> call = calls.of(olds[i].range.begin);
    if (!call || search.can_throw(olds[i].range.begin) || !search.can_throw(replacements[i].range.begin)) continue;
    refusals.add(ErrorCode::unsupported_code,
                 olds[i].demangled +
                     ": throws nothing, and so the compiler may have left out what would handle an exception where " +
                     program.describe(*call) + " calls it; " + replacements[i].demangled +
                     " may throw: let nothing out of it (noexcept, or a handler for everything), or " +
                     mark_advice(program, olds[i]));
  }
}

}  // namespace moult::internal
