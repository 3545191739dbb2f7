// Call frame information: where the caller's registers are, for each address of code.
//
// libunwind's own walk takes 0.5 microseconds a frame and more, may allocate, and takes the loader's lock, so that a
// thread stopped inside dlopen would block it for ever. This reader does neither: it finds the module with glibc's
// _dl_find_object (lock-free, async-signal-safe), the entry by binary search in .eh_frame_hdr, and runs the entry's
// program (DWARF 5, 6.4) into a Row. A stop keeps the rows it has seen, since many threads wait at the same places; a
// row found again costs a few nanoseconds. libunwind is the oracle in the tests.
//
// Limits: unwind information registered at run time (__register_frame, as JIT compilers do) is not found.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/address.hpp"
#include "platform/x86_64/context.hpp"

namespace moult::internal {

/// How to get one register of the caller. Expressions are DWARF programs in the module's unwind section.
struct RegisterRule {
  enum class Kind : std::uint8_t {
    same,           ///< it still holds the caller's value
    undefined,      ///< lost; for the return address: this is the outermost frame
    at_cfa,         ///< stored at CFA + offset
    is_cfa,         ///< CFA + offset itself
    in_register,    ///< in register number `offset`
    at_expression,  ///< stored at the address the expression gives
    is_expression,  ///< the expression's value
  };
  Kind kind = Kind::same;
  std::int32_t offset = 0;
  const std::uint8_t* expression = nullptr;  ///< its length (ULEB128) first
};

/// The rules at one address.
struct Row {
  std::uint8_t cfa_register = 0;
  bool is_signal_frame = false;
  std::int32_t cfa_offset = 0;
  const std::uint8_t* cfa_expression = nullptr;  ///< instead of register and offset
  std::array<RegisterRule, internal::register_count> registers{};
};

/// The code that one entry of the unwind table covers, usually a function or its cold part.
std::optional<CodeRange> unwind_entry_at(CodeAddress address) noexcept;

/// What an entry says of frames that an exception passes.
struct FrameHandling {
  CodeRange code;
  CodeAddress personality{};                      ///< the routine that is asked; 0: nothing happens in such frames
  const std::uint8_t* exception_table = nullptr;  ///< what the routine reads; null: there is none
  bool is_signal_frame = false;
};

/// Nothing when there is no unwind information. Does not allocate and takes no lock.
std::optional<FrameHandling> frame_handling_at(CodeAddress address) noexcept;

/// Computes the row of `address`; nothing when there is no unwind information, or it cannot be understood.
/// Does not allocate and takes no lock.
bool find_row(CodeAddress address, Row& row) noexcept;

/// What nearly every row comes down to: the return address just below the CFA, and registers that calls preserve stored
/// at the CFA plus an offset. It fits a cache line, and the first walk in a stop is made of cache misses.
struct alignas(64) PlainRow {
  static constexpr std::array<Register, 6> preserved = {rbx, rbp, r12, r13, r14, r15};
  enum class State : std::uint8_t { empty, unknown, plain, other };

  CodeAddress address{};
  State state = State::empty;  ///< unknown: no unwind information; other: find_row has to tell
  std::uint8_t cfa_register = 0;
  std::int32_t cfa_offset = 0;
  std::array<std::int32_t, preserved.size()> offsets{};  ///< 0: it still holds the caller's value
};

/// Plain rows by address. They are good as long as the same modules are loaded. One that was never told to keep them
/// knows the last row only, for a single walk in the running program.
class RowCache final {
 public:
  /// Forgets what was learnt with other modules; allocates at the first call. Before any find.
  void keep_for(std::uint64_t module_generation);
  /// Never in state empty. Does not allocate.
  const PlainRow& find(CodeAddress address) noexcept;

 private:
  static constexpr std::size_t capacity = 1024;
  std::vector<PlainRow> rows_;
  PlainRow only_;
  std::uint64_t generation_ = 0;
};

}  // namespace moult::internal
