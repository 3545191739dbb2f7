// How the source file of a function was compiled, as its debug information says (DW_AT_producer).
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/address.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

class Compilation final {
 public:
  enum class Compiler { unknown, gcc, clang };

  /// By the text of DW_AT_producer: "GNU C++17 12.2.0 -g -O2".
  explicit Compilation(std::string producer) : producer_(std::move(producer)) {}

  Compiler compiler() const noexcept;
  /// The first number of g++'s version, 0 for others.
  int gcc_version() const noexcept;
  /// Whether the text has the word, such as "-fno-ipa-ra", or a word that begins with it and '='.
  bool has(std::string_view flag) const;
  /// False if the compiler is known not to have optimised; true in doubt.
  bool optimises() const;
  /// Whether a caller in the same source file may rely on what the compiler saw in a function's body. `optimisation` is
  /// the name of what would do so, such as "ipa-ra".
  bool relies_on_bodies(std::string_view optimisation) const;
  /// Whether callers in other source files may, too.
  bool optimises_links() const;

 private:
  std::string producer_;
};

/// The compilation of the code at `place`; unknown without debug information.
Compilation compilation_at(const Program& program, CodeAddress place);

/// The compilation in which a compiler saw the body of `function`; unknown for assembly in a compiler's source file
/// too.
Compilation compilation_of_body(const Program& program, const FunctionSymbol& function);

/// Whether the source file of both is the same, or is not known.
bool may_share_source(const Program& program, CodeAddress one, CodeAddress other);

/// Whether the function is marked MOULT_UPDATABLE. g++ tells of the mark by the alignment that it gives, and clang by
/// weak linkage, which inline functions have, too: clang relies on the body of neither. False without debug
/// information.
bool is_marked(const Program& program, const FunctionSymbol& function);

/// Whether callers in the function's source file may have been compiled with such knowledge of its body; `optimisation`
/// as above.
bool may_be_known(const Program& program, const FunctionSymbol& function, std::string_view optimisation);

}  // namespace moult::internal
