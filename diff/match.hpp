// Whether a function or a variable of a freshly compiled object is the one in the linked program.
//
// The bytes must be equal outside of the fields that the linker fills in, and each of these fields must lead to the
// same: to the function or variable of that name, or to a constant of that content.
//
// Not thread-safe. The object and the program must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diff/code_alignment.hpp"
#include "diff/exception_table.hpp"
#include "diff/linked_field.hpp"
#include "diff/linked_file.hpp"
#include "diff/object_file.hpp"

namespace moult::internal::diff {

enum class Verdict { same, unknown, changed };

struct Judgement {
  Verdict verdict = Verdict::same;
  std::string reason{};  ///< the first difference, or what moult cannot judge
};

class Match final {
 public:
  /// `unit` is the program's that was linked from the object's predecessor; nothing when there is none.
  Match(const ObjectFile& object, const LinkedFile& program, std::optional<std::size_t> unit);

  /// The program's function of one of these names; null when it has none.
  const LinkedSymbol* find(const ObjectFunction& function) const;
  /// The program's symbol of that name and kind; null when it has none.
  const LinkedSymbol* find(const ObjectSymbol& symbol) const;
  Judgement compare(const ObjectFunction& function, const LinkedSymbol& linked);
  /// Compares what a variable or constant holds at the start.
  Judgement compare(const ObjectSymbol& variable, const LinkedSymbol& linked);

 private:
  /// A part of the function that is being compared, and where it is in the program.
  struct Part {
    Piece piece;
    std::uint64_t address = 0;
    std::uint64_t linked_size = 0;
    std::map<std::uint64_t, LinkedPlace> places{};  ///< of its instructions, if not where the object has them

    /// True when the instruction at `offset` is at `linked_offset` in the program. Both count from the part's
    /// beginning.
    bool is_at(std::uint64_t offset, std::uint64_t linked_offset) const;
  };
  /// A use of the function's own code: a jump, or an entry of a jump table.
  struct OwnUse {
    std::size_t part = 0;
    std::uint64_t offset = 0;         ///< in the part
    std::uint64_t linked_offset = 0;  ///< in the part in the program
  };

  Judgement compare_initial_value(const ObjectSymbol& variable, const LinkedSymbol& linked);
  bool is_from_unit(const LinkedSymbol& symbol) const noexcept;
  const LinkedSymbol* named_at(std::string_view name, std::uint64_t address, bool is_thread_local, bool is_local) const;
  std::string names_at(const Destination& destination) const;
  const ObjectSymbol* cold_part() const;
  Judgement compare_cold_part();
  bool bind_cold_part(const ObjectSymbol& cold, std::uint64_t address);
  Judgement compare_part(std::size_t index);
  Judgement compare_with_other_jumps(std::size_t index);
  Judgement judge_jump(std::size_t index, const Jump& jump);
  Judgement check_own_uses() const;

  Judgement compare_handlers(const Part& part);
  Judgement compare_piece(const Piece& piece, std::uint64_t address);
  Judgement judge(const Piece& piece, const Relocation& relocation, const Destination& destination);
  std::int64_t distance_in_section(const Piece& piece, const Relocation& relocation) const;
  Judgement judge_name(const ObjectSymbol& symbol, const Destination& destination) const;
  Judgement judge_code(std::size_t section, std::int64_t place, std::uint64_t section_address);
  Judgement judge_variable(std::size_t section, std::uint64_t place, std::uint64_t section_address);
  Judgement judge_local(const ObjectSymbol& symbol, std::uint64_t address);
  Judgement judge_constant(const Piece& piece, std::uint64_t address);
  const LinkedSymbol* renumbered_at(const ObjectSymbol& symbol, std::uint64_t address) const;
  bool is_paired(const ObjectSymbol& symbol, const LinkedSymbol& linked);

  const ObjectFile& object_;
  const LinkedFile& program_;
  std::optional<std::size_t> unit_;
  std::map<ObjectPlace, ObjectPlace> exception_tables_;             ///< the object's
  std::map<std::pair<Piece, std::uint64_t>, Judgement> constants_;  ///< compared already
  std::map<const ObjectSymbol*, const LinkedSymbol*> pairs_;        ///< of numbered variables
  std::map<const LinkedSymbol*, const ObjectSymbol*> pairs_back_;

  // Of the function that is being compared.
  const ObjectFunction* function_ = nullptr;
  std::vector<Part> parts_;
  std::vector<OwnUse> own_uses_;  ///< checked at the end, when it is known where the instructions are
  bool is_shared_ = false;        ///< the program's copy may come from another object
};

}  // namespace moult::internal::diff
