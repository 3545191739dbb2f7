// The functions of the loaded modules, by their symbol tables and debug information.
//
// A Program is made for a question and destroyed after the answer, so nothing of it stays in memory. It reads files
// only: in any thread, one thread an object, never in a signal handler. A file that is loaded several times, such as an
// update that is sent again, is read once.
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
#include "elf/module_list.hpp"
#include "symbols/class_name.hpp"
#include "symbols/place.hpp"
#include "symbols/signature.hpp"

namespace moult::internal {

/// A function with a symbol, and the fragments that the compiler split off it.
struct FunctionSymbol {
  std::string mangled;
  std::string demangled;  ///< with parameters: "ns::f(int)"; the plain name for C functions
  CodeRange range;        ///< run-time addresses
  std::string module;     ///< path of the file it is in
  std::string source;     ///< "a.cpp", for a local symbol with a known file
  bool is_local = false;
  bool is_weak = false;
  std::vector<CodeRange> fragments;  ///< .cold, .part, .isra, .constprop, ...: not `range` itself
  std::vector<std::string> clones;   ///< names of fragments that callers call instead of the function
};

/// The place of an inlined call.
struct InlinedSite {
  std::string file;
  int line = 0;
  std::string caller;      ///< demangled, with parameters
  CodeRange caller_range;  ///< run-time addresses; empty when unknown
};

/// Other functions with the same entry. Leaves out names that look the same (variants of a constructor), and additional
/// names of the function itself, as far as the debug information shows them.
struct Namesakes {
  std::vector<std::string> names{};  ///< demangled
  bool are_functions = false;        ///< by debug information; false when there is none
  struct Folded {
    std::string name;  ///< demangled
    CodeRange code;
  };
  /// If their code is the same, direct calls of these may come here.
  std::vector<Folded> folded{};
  /// Direct calls of the function itself go to another one.
  bool is_folded = false;
};

/// What other modules have of a function for themselves, as a plugin compiled with -fvisibility-inlines-hidden has of a
/// header's function. Their calls do not reach the function itself.
struct CopiesElsewhere {
  std::vector<FunctionSymbol> same;       ///< declared at the same line of the same header
  std::vector<FunctionSymbol> namesakes;  ///< maybe the same function, maybe another one of that name
};

/// Functions of one name.
struct NamedFunctions {
  std::vector<FunctionSymbol> direct;
  /// STT_GNU_IFUNC: the symbol is a resolver's, which selects the function at load time.
  std::vector<FunctionSymbol> indirect;
};

/// Functions of the source, whatever became of their code.
struct SourceDefinition {
  bool is_defined = false;          ///< by the program's own file
  std::vector<InlinedSite> copies;  ///< in the program, and in libraries with debug information of their own
};

class ModuleSymbols;

class Program final {
 public:
  /// The modules loaded in this process, by dl_iterate_phdr. Shares what a SharedReading of this thread has read.
  static Program of_this_process();
  /// A file, not loaded (bias 0), for offline checks. Throws Error: unreadable.
  static Program of_file(const std::string& path);
  /// A running process of the same user, by /proc/PID/maps. Throws Error: not_found, unreadable.
  static Program of_process(int pid);
  ~Program();
  Program(Program&&) noexcept;

  std::span<const Module> modules() const noexcept;

  /// Functions with the qualified name `name`, without parameters; "(anonymous namespace)::" may be omitted. A prefix
  /// "file.cpp:" selects local ones by their source file, or else all by the file of their declaration in the debug
  /// information. Fragments are not listed by themselves.
  NamedFunctions named(std::string_view name) const;
  /// The direct ones.
  std::vector<FunctionSymbol> find(std::string_view name) const;
  /// Functions whose name contains `text`, for suggestions and `moult functions`; at most `most`, sorted.
  std::vector<FunctionSymbol> search(std::string_view text, std::size_t most) const;
  /// Suggestions for an unknown `name`: functions whose last name contains its own or is within a few typing errors,
  /// the nearest first; at most `most`. The program's own, or else exported ones of its libraries, but never of
  /// moult's.
  std::vector<FunctionSymbol> similar(std::string_view name, std::size_t most) const;
  /// True when neither the program's own file nor a debug file for it has a symbol table.
  bool is_stripped() const;
  /// The function whose range or fragments contain `address`. Without a symbol it comes from the unwind table, with
  /// name "" and the range; nothing without that.
  std::optional<FunctionSymbol> at(CodeAddress address) const;
  std::optional<SourceLine> line_of(CodeAddress address) const;
  /// The same, but for an inlined function of moult's headers, the line of its call.
  std::optional<SourceLine> own_line_of(CodeAddress address) const;
  /// Function and own line for messages, as far as known: "ns::f(int) at a.cpp:12".
  std::string describe(CodeAddress address) const;
  /// A data symbol (a vtable, a guard variable) by its mangled name.
  std::optional<std::uintptr_t> find_data(std::string_view mangled) const;
  /// The same in every module.
  std::vector<DataPlace> find_all_data(std::string_view mangled) const;
  /// The module's variable with the byte at `address`, by symbols.
  std::optional<Variable> variable_at(std::size_t module, std::uintptr_t address) const;

  /// The copies of `function`, a result of find or at, by the debug information; copies in itself (an unrolled
  /// recursion) too. nullopt when none are shown, but there may be some; debug_info_problem says why.
  std::optional<std::vector<InlinedSite>> inlined_sites(const FunctionSymbol& function) const;
  /// For each of `functions`, its code in other modules that are no updates.
  std::vector<CopiesElsewhere> copies_elsewhere(std::span<const FunctionSymbol> functions) const;
  /// inlined_sites in other modules that are no updates and have debug information of their own.
  std::vector<InlinedSite> sites_elsewhere(const FunctionSymbol& function) const;
  /// True when the debug information says that `function` was inlined, with or without a place.
  bool was_inlined(const FunctionSymbol& function) const;
  /// What the debug information has of functions of that name, for those without a symbol. Reads all of it if it has
  /// one: seconds for a big program.
  SourceDefinition source_definition(std::string_view name) const;
  /// SourceDefinition::is_defined alone.
  bool defines(std::string_view name) const;
  /// Functions that the compiler or the linker has merged with `function`, because their code is the same (-fipa-icf,
  /// --icf=all).
  Namesakes namesakes_of(const FunctionSymbol& function) const;
  /// Why the debug information may lack copies of `function`: its module has none, its source file was compiled without
  /// it, or .dwo files cannot be opened. Names the next step. Empty when it lacks none.
  std::string debug_info_problem(const FunctionSymbol& function) const;
  /// The result type by debug information, as the demangler writes it: "char const*". Nothing when unknown.
  std::optional<std::string> result_type(const FunctionSymbol& function) const;
  /// The parameter types in the same way: "(int, char const*)". Nothing when one is unknown.
  std::optional<std::string> parameter_types(const FunctionSymbol& function) const;
  /// How its arguments and its result are passed, by debug information. Nothing when unknown.
  std::optional<Signature> signature(const FunctionSymbol& function) const;
  /// True for a function that is declared [[noreturn]] or _Noreturn, by debug information (DWARF 5).
  bool is_noreturn(const FunctionSymbol& function) const;
  /// True for a non-static method: by debug information, else by the name. Nothing when unknown.
  std::optional<bool> takes_object(const FunctionSymbol& function) const;

  /// True when the function belongs to a loaded update: a module with the entry of MOULT_UPDATE.
  bool is_in_update(const FunctionSymbol& function) const;

  /// Every symbol of a member function of the class, module by module: each variant of a constructor or destructor, and
  /// each alias.
  std::vector<FunctionSymbol> members_of(const ClassName& of_class) const;
  /// False when a module knows nothing of the class. Quick: nothing of it need be read.
  bool may_know(std::size_t module, const ClassName& name) const;
  /// The size of a module's debug information, in bytes; 0 when it has none.
  std::size_t debug_info_size(std::size_t module) const;
  /// The same of the module loaded at `address`.
  std::size_t debug_info_size(CodeAddress address) const;
  /// The same of all modules, but for those apart, that may have a name with that identifier in it.
  std::size_t debug_info_size(std::string_view identifier) const;
  /// The same of all modules that may know the class.
  std::size_t debug_info_size(const ClassName& name) const;
  /// True for moult's own library, and for the system's libraries in C: they have no types or functions of programs.
  bool is_apart(std::size_t module) const;
  /// For this layer: the symbols of one of modules(), or null when they cannot be read.
  const ModuleSymbols* symbols_of(std::size_t module) const;
  /// The index in modules() of the module loaded at `address`.
  std::optional<std::size_t> module_at(CodeAddress address) const;

 private:
  friend class SharedReading;
  class Impl;
  explicit Program(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// While it lives, all Program::of_this_process in its thread share what they read, until a module is loaded or
/// unloaded. For work that asks in several places. Does nothing inside of another one.
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
