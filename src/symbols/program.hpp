// What the symbol tables and the debug information of the loaded modules say about functions.
//
// A Program is built when a question comes up and thrown away when it is answered, so that nothing of it stays in
// memory. It reads files only: it may be used in any thread, one thread an object, never in a signal handler. A file
// that is loaded several times, as an update that is sent again, is read once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "elf/module.hpp"

namespace moult::internal {

/// A function with a symbol, and the fragments the compiler split off it.
struct FunctionSymbol {
  std::string mangled;
  std::string demangled;  ///< with parameters: "ns::f(int)"; the plain name for C functions
  CodeRange range;        ///< run-time addresses
  std::string module;     ///< path of the file it is in
  std::string source;     ///< "a.cpp", for a local symbol whose file is known
  bool is_local = false;
  std::vector<CodeRange> fragments;  ///< .cold, .part, .isra, .constprop, ...: not `range` itself
  std::vector<std::string> clones;   ///< names of fragments that callers call instead of the function
};

/// One place where a copy of a function was inlined.
struct InlinedSite {
  std::string file;
  int line = 0;
  std::string caller;      ///< demangled, with parameters
  CodeRange caller_range;  ///< run-time addresses; empty when unknown
};

/// What else stands at a function's entry. Names that differ in nothing a reader sees (variants of a constructor) are
/// left out, and so are names that a function was given besides its own, where debug information tells.
struct Namesakes {
  std::vector<std::string> names;  ///< demangled
  bool are_functions = false;      ///< by debug information; false: without it that cannot be told
};

struct SourceLine {
  std::string file;
  int line = 0;
};

/// A variable, a vtable: anything with a data symbol.
struct DataPlace {
  std::uintptr_t address = 0;
  std::size_t size = 0;  ///< in bytes
};

class ModuleSymbols;

class Program final {
 public:
  /// The modules loaded in this process, by dl_iterate_phdr. What a SharedReading of this thread has read it has too.
  static Program of_this_process();
  /// A file, not loaded (bias 0), for offline checks. Throws Error: unreadable.
  static Program of_file(const std::string& path);
  /// A running process of the same user, by /proc/PID/maps. Throws Error: not_found, unreadable.
  static Program of_process(int pid);
  ~Program();
  Program(Program&&) noexcept;

  std::span<const Module> modules() const noexcept;

  /// Functions whose qualified name is `name` (parameters left out, "(anonymous namespace)::" optional, "file.cpp:" in
  /// front to choose among local ones; where none fits, among all by where debug information says they were declared).
  /// Fragments are not listed by themselves. Empty when there is none.
  std::vector<FunctionSymbol> find(std::string_view name) const;
  /// Indirect functions (STT_GNU_IFUNC) of that name, which find leaves out: their symbol is that of a resolver, which
  /// chooses the function when the program is loaded.
  std::vector<FunctionSymbol> find_indirect(std::string_view name) const;
  /// Names that contain `text`, for suggestions and `moult functions`; at most `most`, sorted.
  std::vector<FunctionSymbol> search(std::string_view text, std::size_t most) const;
  /// For suggestions where `name` is not found: names that contain its last part, or else those that differ from it by
  /// a typo, the nearest first; at most `most`.
  std::vector<FunctionSymbol> similar(std::string_view name, std::size_t most) const;
  /// The program's own file has no symbol table, nor has it a debug file with one.
  bool is_stripped() const;
  /// The function whose range or fragments contain `address`. Without a symbol table entry it falls back on the unwind
  /// table: name "" and the range. Nothing when even that is missing.
  std::optional<FunctionSymbol> at(CodeAddress address) const;
  std::optional<SourceLine> line_of(CodeAddress address) const;
  /// The same, but where a function of moult's headers was inlined the line that calls it.
  std::optional<SourceLine> own_line_of(CodeAddress address) const;
  /// Function and own line in words, "ns::f(int) at a.cpp:12", as far as they are known: for messages.
  std::string describe(CodeAddress address) const;
  /// A data symbol (a vtable, a guard variable) by its mangled name.
  std::optional<std::uintptr_t> find_data(std::string_view mangled) const;
  /// The same in every module: each may have one of its own.
  std::vector<DataPlace> find_all_data(std::string_view mangled) const;

  /// Where debug information shows copies of `function`, one of find's or at's; copies of it in itself (an unrolled
  /// recursion) too. Nothing at all (nullopt) when none are shown but there may be some: debug_info_problem says why.
  std::optional<std::vector<InlinedSite>> inlined_sites(const FunctionSymbol& function) const;
  /// Whether debug information says of `function` that it was inlined, be it at a place that it shows or at none.
  bool was_inlined(const FunctionSymbol& function) const;
  /// inlined_sites for functions that no symbol is left of. Reads all debug information there is: seconds for a big
  /// program.
  std::vector<InlinedSite> copies_by_name(std::string_view name) const;
  /// Whether the program's own file defines such a function by its debug information, be there code of it or not.
  bool defines(std::string_view name) const;
  /// Functions of which the compiler or the linker has seen that their code is the same (-fipa-icf, --icf=all), so that
  /// they share it with `function`.
  Namesakes namesakes_of(const FunctionSymbol& function) const;
  /// Why debug information cannot tell all copies of `function`: its module has none, its source file was compiled
  /// without it, or parts of it are in .dwo files that cannot be opened. Empty when it can. Names the next step.
  std::string debug_info_problem(const FunctionSymbol& function) const;
  /// The result type by debug information, written as the demangler writes it: "char const*". Nothing if unknown.
  std::optional<std::string> result_type(const FunctionSymbol& function) const;
  /// The types of the parameters, in the same way: "(int, char const*)". Nothing if one of them is unknown.
  std::optional<std::string> parameter_types(const FunctionSymbol& function) const;
  /// Whether it is called on an object, as methods that are not static are: by debug information, else by what the name
  /// tells. Nothing if unknown.
  std::optional<bool> takes_object(const FunctionSymbol& function) const;

  /// Whether it is code of a loaded update: of a module with an entry (MOULT_UPDATE).
  bool is_in_update(const FunctionSymbol& function) const;

  /// Every symbol of a member function of the class, module by module: constructors and destructors in each of their
  /// variants, aliases each by itself.
  std::vector<FunctionSymbol> members_of(std::string_view class_name) const;
  /// For the other readers of this layer: what is read of one of modules(), or null when it cannot be read.
  const ModuleSymbols* symbols_of(std::size_t module) const;
  /// The one of modules() that is loaded at `address`.
  std::optional<std::size_t> module_at(CodeAddress address) const;

 private:
  friend class SharedReading;
  class Impl;
  explicit Program(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// While one lives, every Program::of_this_process in its thread has what the others have read, for as long as no
/// module comes or goes: for work that asks in several places. Inside another one it does nothing.
class SharedReading final {
 public:
  SharedReading() noexcept;
  ~SharedReading();
  SharedReading(const SharedReading&) = delete;
  SharedReading& operator=(const SharedReading&) = delete;

 private:
  friend class Program;
  SharedReading* outer_;
  std::uint64_t generation_ = 0;
  std::shared_ptr<Program::Impl> impl_;
};

}  // namespace moult::internal
