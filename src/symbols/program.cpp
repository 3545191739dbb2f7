#include "symbols/program.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/names.hpp"
#include "elf/module_list.hpp"
#include "moult/error.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/name_query.hpp"
#include "symbols/named_functions.hpp"
#include "symbols/type_name.hpp"
#include "unwind/unwind_range.hpp"

namespace moult::internal {
namespace {

std::uint64_t in_file(const Module& module, CodeAddress address) { return value(address) - module.bias; }

CodeRange at_run_time(const Module& module, std::uint64_t begin, std::uint64_t end) {
  return {CodeAddress{module.bias + begin}, CodeAddress{module.bias + end}};
}

FunctionSymbol to_function(const Module& module, const FunctionMatch& match) {
  FunctionSymbol function;
  const std::string base(match.name.base);
  function.mangled = match.original != nullptr ? std::string(match.name.stem) : base;
  function.demangled = demangle(base);
  function.module = module.path;
  const Symbol* known = match.original != nullptr ? match.original
                        : match.fragments.empty() ? nullptr
                                                  : match.fragments[0];
  if (match.original != nullptr) function.range = at_run_time(module, known->begin, known->end);
  if (known != nullptr) {
    function.source = known->source;
    function.is_local = known->is_local;
    function.is_weak = known->is_weak;
  }
  for (const Symbol* fragment : match.fragments) {
    function.fragments.push_back(at_run_time(module, fragment->begin, fragment->end));
    if (is_clone_suffix(split_symbol_name(fragment->name).suffix)) {
      function.clones.push_back(demangle(std::string(fragment->name)));
    }
  }
  return function;
}

/// The addresses of `function` in its file, fragments included.
std::vector<std::uint64_t> code_in_file(const Module& module, const FunctionSymbol& function) {
  std::vector<std::uint64_t> addresses;
  if (function.range.size() > 0) addresses.push_back(in_file(module, function.range.begin));
  for (const CodeRange& fragment : function.fragments) addresses.push_back(in_file(module, fragment.begin));
  return addresses;
}

/// True when the symbol is local only because the function is hidden: other source files know it by its name.
bool is_shared(const DebugInfo& info, const Symbol& symbol) {
  const std::optional<Dwarf_Die> die = info.function_at(symbol.begin);
  return die && has_flag(*die, DW_AT_external);
}

InlinedFunction to_inlined_function(const Module& module, const ModuleSymbols& all, const FunctionSymbol& function) {
  InlinedFunction inlined{code_in_file(module, function), {}};
  for (const Symbol* alias : all.functions().aliases_of(in_file(module, function.range.begin))) {
    if (!alias->is_local || is_shared(*all.debug_info(), *alias))
      inlined.names.emplace_back(split_symbol_name(alias->name).base);
  }
  // All that is left may be local copies of a function that is not local.
  if (function.range.size() == 0 && function.mangled.rfind("_ZL", 0) != 0) inlined.names.push_back(function.mangled);
  return inlined;
}

std::vector<InlinedSite> to_sites(const Module& module, const FunctionIndex& index, std::vector<InlinedCopy> copies) {
  std::vector<InlinedSite> sites;
  for (InlinedCopy& copy : copies) {
    InlinedSite site{std::move(copy.file), copy.line, demangle(copy.caller_name), {}};
    if (const std::optional<FunctionMatch> match = index.at(copy.caller)) {
      const FunctionSymbol caller = to_function(module, *match);
      site.caller = caller.demangled;
      site.caller_range = caller.range;
    }
    sites.push_back(std::move(site));
  }
  return sites;
}

/// Only methods have qualifiers, and a function without a scope is no method. A scope may be a namespace or a class.
std::optional<bool> takes_object_by_name(std::string_view mangled) {
  if (!mangled.starts_with("_Z")) return false;
  mangled.remove_prefix(2);
  const char first = mangled.empty() ? '\0' : mangled.front();
  if ((first >= '0' && first <= '9') || first == 'L') return false;
  if (first != 'N' || mangled.size() < 2) return std::nullopt;
  return std::string_view("KVRO").find(mangled[1]) != std::string_view::npos ? std::optional(true) : std::nullopt;
}

/// False for what other source files can name.
bool has_internal_linkage(std::string_view mangled) {
  return mangled.starts_with("_ZL") || mangled.find("_GLOBAL__N_") != std::string_view::npos;
}

std::string in_module(const Module& module) { return " in " + module.path.substr(module.path.rfind('/') + 1); }

/// Where a function is defined. Every unit that has a header's function has it from one place.
struct Definition {
  std::string file;
  std::uint64_t line = 0;
  bool is_in_header = false;  ///< the file is not the unit's own

  bool is_at_place_of(const Definition& other) const { return file == other.file && line == other.line; }
};

}  // namespace

class Program::Impl {
 public:
  explicit Impl(const std::vector<ModulePlace>& places) : files_(places) {
    for (const ModulePlace& place : places) modules.push_back(place.module);
  }

  /// The symbols of a module, opened on first use; null when they cannot be read.
  const ModuleSymbols* symbols(std::size_t module) { return files_.symbols(module, modules[module].problem); }

  std::optional<std::size_t> module_at(CodeAddress address) const {
    for (std::size_t i = 0; i < modules.size(); ++i) {
      if (modules[i].text.contains(address)) return i;
    }
    return std::nullopt;
  }

  /// True for moult's own library.
  bool is_moult(std::size_t module) const {
    return module > 0 && modules[module].text.contains(CodeAddress{reinterpret_cast<std::uintptr_t>(&demangle)});
  }

  std::optional<std::size_t> module_of(const FunctionSymbol& function) const {
    if (function.range.size() > 0) return module_at(function.range.begin);
    return function.fragments.empty() ? std::nullopt : module_at(function.fragments.front().begin);
  }

  /// After link-time optimisation symbols have no source file; the debug information has their declaration.
  void find_by_declaration(std::size_t module, const NameQuery& query, std::vector<FunctionSymbol>& found) {
    const ModuleSymbols& all = *symbols(module);
    for (const FunctionMatch& match : all.functions().find(query.in_any_source())) {
      if (match.original == nullptr || all.debug_info() == nullptr) continue;
      const std::string source = all.debug_info()->source_of(match.original->begin);
      if (!query.fits_source(source)) continue;
      found.push_back(to_function(modules[module], match));
      found.back().source = source;
    }
  }

  /// The debug information of a module, or null.
  const DebugInfo* debug_info(std::size_t module) {
    const ModuleSymbols* module_symbols = symbols(module);
    return module_symbols != nullptr ? module_symbols->debug_info() : nullptr;
  }
  const DebugInfo* debug_info(const FunctionSymbol& function) {
    const std::optional<std::size_t> module = module_of(function);
    return module ? debug_info(*module) : nullptr;
  }

  /// The debug information entry of `function`.
  std::optional<Dwarf_Die> die_of(const FunctionSymbol& function) {
    const DebugInfo* info = debug_info(function);
    if (info == nullptr || info->lacks_supplementary_file()) return std::nullopt;
    for (const std::uint64_t address : code_in_file(modules[*module_of(function)], function)) {
      if (const std::optional<Dwarf_Die> die = info->function_at(address)) return die;
    }
    return std::nullopt;
  }

  /// Sorts `symbol`, of another module than `function`'s, into `copies`.
  void add_copy(const FunctionSymbol& function, std::size_t module, const Symbol& symbol, CopiesElsewhere& copies) {
    const std::optional<std::size_t> own = module_of(function);
    if (!own || *own == module || symbols(module)->is_update()) return;
    // Of several exported functions the dynamic linker takes one.
    if (!symbol.is_local && symbols(*own)->exports(function.mangled)) return;
    const std::optional<FunctionMatch> match = symbols(module)->functions().at(symbol.begin);
    if (!match) return;
    FunctionSymbol copy = to_function(modules[module], *match);
    const std::optional<Definition> definition = definition_of(function);
    const std::optional<Definition> other = definition_of(copy);
    if (definition && other && !definition->is_at_place_of(*other)) return;
    const bool is_same = definition && other && definition->is_in_header && other->is_in_header;
    (is_same ? copies.same : copies.namesakes).push_back(std::move(copy));
  }

  /// Nothing when the debug information does not say where `function` is.
  std::optional<Definition> definition_of(const FunctionSymbol& function) {
    const std::optional<Dwarf_Die> die = die_of(function);
    if (!die) return std::nullopt;
    Definition found{file_named_by(*die, DW_AT_decl_file), number_of(*die, DW_AT_decl_line).value_or(0)};
    const DebugUnit* const unit =
        debug_info(function)->unit_at(code_in_file(modules[*module_of(function)], function).front());
    const std::string_view source = unit != nullptr ? plain_name_of(unit->skeleton) : std::string_view();
    if (found.file.empty() || found.line == 0 || source.empty()) return std::nullopt;
    found.is_in_header = std::filesystem::path(found.file).filename() != std::filesystem::path(source).filename();
    return found;
  }

  std::vector<Module> modules;

 private:
  ModuleFiles files_;
};

Program::Program(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Program::~Program() = default;
Program::Program(Program&&) noexcept = default;

namespace {

thread_local SharedReading* reading_of_this_thread = nullptr;

}  // namespace

SharedReading::SharedReading() noexcept : outer_(reading_of_this_thread) {
  if (outer_ == nullptr) reading_of_this_thread = this;
}

SharedReading::~SharedReading() {
  if (outer_ == nullptr) reading_of_this_thread = nullptr;
}

Program Program::of_this_process() {
  SharedReading* const reading = reading_of_this_thread;
  if (reading == nullptr) return Program(std::make_shared<Impl>(modules_of_this_process()));
  // Read before the modules: a module that is loaded meanwhile causes another reading next time.
  const std::uint64_t generation = internal::module_generation();
  if (reading->impl_ == nullptr || reading->generation_ != generation) {
    reading->impl_ = std::make_shared<Impl>(modules_of_this_process());
    reading->generation_ = generation;
  }
  return Program(reading->impl_);
}

Program Program::of_process(int pid) { return Program(std::make_shared<Impl>(modules_of_process(pid))); }

Program Program::of_file(const std::string& path) {
  ModulePlace place;
  place.module = {.path = path, .bias = 0, .text = ElfFile::open(path).loaded_range(), .problem = {}};
  place.open_path = path;
  std::vector<ModulePlace> places;
  places.push_back(std::move(place));
  return Program(std::make_shared<Impl>(places));
}

std::span<const Module> Program::modules() const noexcept { return impl_->modules; }

NamedFunctions Program::named(std::string_view name) const {
  const NameQuery query(name);
  NamedFunctions found;
  for (std::size_t i = 0; i < impl_->modules.size() && !name.empty(); ++i) {
    const ModuleSymbols* symbols = impl_->symbols(i);
    if (symbols == nullptr || !symbols->may_find(query)) continue;
    const Module& module = impl_->modules[i];
    const std::vector<FunctionMatch> matches = symbols->functions().find(query);
    for (const FunctionMatch& match : matches) found.direct.push_back(to_function(module, match));
    if (matches.empty() && !query.source().empty()) impl_->find_by_declaration(i, query, found.direct);
    for (const FunctionMatch& match : symbols->functions().find_indirect(query))
      found.indirect.push_back(to_function(module, match));
  }
  return found;
}

std::vector<FunctionSymbol> Program::find(std::string_view name) const { return named(name).direct; }

std::vector<FunctionSymbol> Program::search(std::string_view text, std::size_t most) const {
  std::vector<FunctionSymbol> found;
  for (std::size_t i = 0; i < impl_->modules.size(); ++i) {
    const ModuleSymbols* symbols = impl_->symbols(i);
    if (symbols == nullptr) continue;
    for (const FunctionMatch& match : symbols->functions().search(text)) {
      found.push_back(to_function(impl_->modules[i], match));
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const FunctionSymbol& a, const FunctionSymbol& b) { return a.demangled < b.demangled; });
  if (found.size() > most) found.resize(most);
  return found;
}

std::vector<FunctionSymbol> Program::similar(std::string_view name, std::size_t most) const {
  const std::string_view qualified = qualified_name(name);
  const std::string_view last = plain_last_name(qualified.substr(qualified.rfind(':') + 1));
  if (last.empty() || !is_identifier_char(last.front())) return {};
  std::vector<FunctionSymbol> found;
  for (std::size_t i = 0; i < impl_->modules.size() && found.empty(); ++i) {
    const ModuleSymbols* symbols = impl_->is_moult(i) ? nullptr : impl_->symbols(i);
    if (symbols == nullptr) continue;
    for (const FunctionMatch& match : symbols->functions_similar_to(last))
      if (found.size() < most && (i == 0 || !match.original->is_local))
        found.push_back(to_function(impl_->modules[i], match));
  }
  return found;
}

bool Program::is_stripped() const {
  const ModuleSymbols* symbols = impl_->modules.empty() ? nullptr : impl_->symbols(0);
  return symbols != nullptr && !symbols->has_symbol_table();
}

std::optional<FunctionSymbol> Program::at(CodeAddress address) const {
  const std::optional<std::size_t> place = impl_->module_at(address);
  const ModuleSymbols* symbols = place ? impl_->symbols(*place) : nullptr;
  if (symbols == nullptr) return std::nullopt;
  const Module& module = impl_->modules[*place];
  if (const std::optional<FunctionMatch> match = symbols->functions().at(in_file(module, address))) {
    return to_function(module, *match);
  }
  const std::optional<CodeRange> unwound = unwind_range(symbols->file(), in_file(module, address));
  if (!unwound) return std::nullopt;
  FunctionSymbol function;
  function.range = at_run_time(module, value(unwound->begin), value(unwound->end));
  function.module = module.path;
  return function;
}

std::optional<std::uintptr_t> Program::find_data(std::string_view mangled) const {
  for (std::size_t i = 0; i < impl_->modules.size(); ++i) {
    const ModuleSymbols* symbols = impl_->symbols(i);
    if (symbols == nullptr) continue;
    if (const std::optional<std::uint64_t> address = symbols->functions().find_data(mangled)) {
      return impl_->modules[i].bias + *address;
    }
  }
  return std::nullopt;
}

std::vector<DataPlace> Program::find_all_data(std::string_view mangled) const {
  std::vector<DataPlace> found;
  for (std::size_t i = 0; i < impl_->modules.size(); ++i) {
    const ModuleSymbols* symbols = impl_->symbols(i);
    if (symbols == nullptr) continue;
    for (const DataPlace& place : symbols->functions().find_all_data(mangled)) {
      found.push_back({impl_->modules[i].bias + place.address, place.size});
    }
  }
  return found;
}

std::optional<Variable> Program::variable_at(std::size_t module, std::uintptr_t address) const {
  const ModuleSymbols* const symbols = impl_->symbols(module);
  const std::uintptr_t bias = impl_->modules[module].bias;
  const auto* const found = symbols != nullptr ? symbols->functions().data_at(address - bias) : nullptr;
  if (found == nullptr) return std::nullopt;
  return Variable{demangle(std::string(found->name)), {bias + found->address, found->size}, found->is_local};
}

std::optional<SourceLine> Program::line_of(CodeAddress address) const {
  const std::optional<std::size_t> place = impl_->module_at(address);
  const DebugInfo* info = place ? impl_->debug_info(*place) : nullptr;
  return info != nullptr ? info->line_of(in_file(impl_->modules[*place], address)) : std::nullopt;
}

std::optional<SourceLine> Program::own_line_of(CodeAddress address) const {
  const std::optional<std::size_t> place = impl_->module_at(address);
  const DebugInfo* info = place ? impl_->debug_info(*place) : nullptr;
  return info != nullptr ? info->own_line_of(in_file(impl_->modules[*place], address)) : std::nullopt;
}

std::string Program::describe(CodeAddress address) const {
  const std::optional<FunctionSymbol> function = at(address);
  const bool has_name = function && !function->demangled.empty();
  std::string text = has_name ? function->demangled : "code at " + hex_text(value(address));
  if (const std::optional<SourceLine> line = own_line_of(address))
    text += " at " + line->file + ":" + std::to_string(line->line);
  return text;
}

std::optional<std::vector<InlinedSite>> Program::inlined_sites(const FunctionSymbol& function) const {
  const DebugInfo* info = impl_->debug_info(function);
  if (info == nullptr) return std::nullopt;
  const std::size_t place = *impl_->module_of(function);
  const Module& module = impl_->modules[place];
  const ModuleSymbols& all = *impl_->symbols(place);
  const FunctionIndex& index = all.functions();
  InlinedCopies found = all.inlined_copies(to_inlined_function(module, all, function));
  if (found.copies.empty() && (!found.is_complete || !info->missing_file().empty())) return std::nullopt;
  return to_sites(module, index, std::move(found.copies));
}

std::vector<CopiesElsewhere> Program::copies_elsewhere(std::span<const FunctionSymbol> functions) const {
  std::vector<CopiesElsewhere> copies(functions.size());
  std::unordered_map<std::string_view, std::size_t> wanted;
  for (std::size_t i = 0; i < functions.size(); ++i)
    if (!functions[i].mangled.empty() && !has_internal_linkage(functions[i].mangled))
      wanted.emplace(functions[i].mangled, i);
  constexpr std::size_t few = 8;  // names are searched in the bytes first
  for (std::size_t i = 0; i < impl_->modules.size(); ++i) {
    const ModuleSymbols* symbols = impl_->is_moult(i) ? nullptr : impl_->symbols(i);
    const auto occurs = [symbols](const auto& one) { return symbols->may_name(one.first); };
    if (symbols == nullptr || (wanted.size() <= few && std::none_of(wanted.begin(), wanted.end(), occurs))) continue;
    for (const Symbol& symbol : symbols->functions().all()) {
      const auto function = wanted.find(symbol.name);
      if (function != wanted.end()) impl_->add_copy(functions[function->second], i, symbol, copies[function->second]);
    }
  }
  return copies;
}

std::vector<InlinedSite> Program::sites_elsewhere(const FunctionSymbol& function) const {
  std::vector<InlinedSite> sites;
  const std::optional<std::size_t> own = impl_->module_of(function);
  const ModuleSymbols* const here = own ? impl_->symbols(*own) : nullptr;
  if (here == nullptr || here->debug_info() == nullptr) return sites;
  InlinedFunction inlined = to_inlined_function(impl_->modules[*own], *here, function);
  if (inlined.names.empty()) return sites;
  for (std::size_t i = 0; i < impl_->modules.size(); ++i) {
    const ModuleSymbols* symbols = i == *own || impl_->is_moult(i) ? nullptr : impl_->symbols(i);
    if (symbols == nullptr || !symbols->has_own_debug_info()) continue;
    std::vector<InlinedCopy> copies = symbols->copies_of_foreign(inlined.names);
    if (copies.empty() || symbols->is_update()) continue;
    std::vector<InlinedSite> found = to_sites(impl_->modules[i], symbols->functions(), std::move(copies));
    for (InlinedSite& site : found) site.caller += in_module(impl_->modules[i]);
    sites.insert(sites.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }
  return sites;
}

bool Program::was_inlined(const FunctionSymbol& function) const {
  const std::optional<Dwarf_Die> die = impl_->die_of(function);
  return die && internal::was_inlined(parts_of(*die));
}

bool Program::defines(std::string_view name) const {
  const ModuleSymbols* symbols = impl_->symbols(0);
  const NameQuery query(name);
  if (symbols == nullptr || !symbols->may_describe(query.identifier())) return false;
  const DebugInfo* info = symbols->debug_info();
  return info != nullptr && internal::defines(*info, query);
}

SourceDefinition Program::source_definition(std::string_view name) const {
  const NameQuery query(name);
  SourceDefinition definition;
  for (std::size_t i = 0; i < impl_->modules.size(); ++i) {
    const ModuleSymbols* symbols = impl_->is_moult(i) ? nullptr : impl_->symbols(i);
    if (symbols == nullptr || (i > 0 && !symbols->has_own_debug_info())) continue;
    const DebugInfo* info = symbols->may_describe(query.identifier()) ? symbols->debug_info() : nullptr;
    if (info == nullptr) continue;
    SourceFunction function = source_function(*info, query);
    definition.is_defined = definition.is_defined || (i == 0 && function.is_defined);
    if (function.copies.empty()) continue;
    std::vector<InlinedSite> found = to_sites(impl_->modules[i], symbols->functions(), std::move(function.copies));
    definition.copies.insert(definition.copies.end(), std::make_move_iterator(found.begin()),
                             std::make_move_iterator(found.end()));
  }
  return definition;
}

Namesakes Program::namesakes_of(const FunctionSymbol& function) const {
  if (function.mangled.empty()) return {};
  const std::size_t place = *impl_->module_of(function);
  const ModuleSymbols& all = *impl_->symbols(place);
  std::vector<const Symbol*> others;
  std::vector<const Symbol*> own;
  std::set<std::string> seen{function.demangled};
  for (const Symbol* alias : all.functions().aliases_of(in_file(impl_->modules[place], function.range.begin))) {
    const SymbolName name = split_symbol_name(alias->name);
    const std::string readable = demangle(std::string(name.base));
    if (readable == function.demangled) own.push_back(alias);
    if (name.suffix.empty() && seen.insert(readable).second) others.push_back(alias);
  }
  const DebugInfo* const info = all.debug_info();
  if (info != nullptr && !others.empty()) {
    others = defined_functions(*info, others);
    // The C library defines functions under private names and exports aliases; then the one definition is that of
    // `function`. A C++ function is defined under its own name, if at all.
    const bool is_alias = !function.mangled.starts_with("_Z") && defined_functions(*info, own).empty();
    if (is_alias && others.size() == 1) others.clear();
  }
  Namesakes namesakes{{}, info != nullptr, {}, false};
  if (info != nullptr && others.empty()) {
    if (!own.empty())
      for (const Symbol* const other : all.functions_folded_into(*own.front())) {
        const std::uint64_t bias = impl_->modules[place].bias;
        namesakes.folded.push_back(
            {demangle(std::string(other->name)), {CodeAddress{bias + other->begin}, CodeAddress{bias + other->end}}});
      }
    namesakes.is_folded =
        std::any_of(own.begin(), own.end(), [&](const Symbol* symbol) { return is_folded(*info, *symbol); });
  }
  for (const Symbol* other : others) namesakes.names.push_back(demangle(std::string(other->name)));
  return namesakes;
}

std::string Program::debug_info_problem(const FunctionSymbol& function) const {
  const DebugInfo* info = impl_->debug_info(function);
  if (info == nullptr) return function.module + " has no debug information; compile it with -g";
  if (std::string missing = info->missing_file_problem(function.module); !missing.empty()) return missing;
  const Module& module = impl_->modules[*impl_->module_of(function)];
  for (const std::uint64_t address : code_in_file(module, function)) {
    if (info->function_at(address)) return {};
  }
  return "the source file of " + function.demangled + " was compiled without debug information; compile it with -g";
}

std::optional<std::string> Program::result_type(const FunctionSymbol& function) const {
  const std::optional<Dwarf_Die> die = impl_->die_of(function);
  return die ? result_type_of(*die) : std::nullopt;
}

std::optional<Signature> Program::signature(const FunctionSymbol& function) const {
  const std::optional<Dwarf_Die> die = impl_->die_of(function);
  return die ? std::optional(signature_of(*die)) : std::nullopt;
}

std::optional<std::string> Program::parameter_types(const FunctionSymbol& function) const {
  const std::optional<Dwarf_Die> die = impl_->die_of(function);
  return die ? parameter_types_of(parts_of(*die).back()) : std::nullopt;
}

bool Program::is_noreturn(const FunctionSymbol& function) const {
  const std::optional<Dwarf_Die> die = impl_->die_of(function);
  const std::vector<Dwarf_Die> parts = die ? parts_of(*die) : std::vector<Dwarf_Die>();
  return std::any_of(parts.begin(), parts.end(), [](const Dwarf_Die& part) { return has_flag(part, DW_AT_noreturn); });
}

std::optional<bool> Program::takes_object(const FunctionSymbol& function) const {
  const std::optional<Dwarf_Die> die = impl_->die_of(function);
  return die ? signature_of(*die).takes_object : takes_object_by_name(function.mangled);
}

bool Program::is_in_update(const FunctionSymbol& function) const {
  const std::optional<std::size_t> module = impl_->module_of(function);
  const ModuleSymbols* symbols = module ? impl_->symbols(*module) : nullptr;
  return symbols != nullptr && symbols->is_update();
}

std::vector<FunctionSymbol> Program::members_of(const ClassName& of_class) const {
  std::vector<FunctionSymbol> members;
  for (std::size_t i = 0; i < impl_->modules.size(); ++i) {
    const ModuleSymbols* symbols = impl_->symbols(i);
    if (symbols == nullptr) continue;
    for (const FunctionMatch& match : symbols->functions().members_of(of_class)) {
      members.push_back(to_function(impl_->modules[i], match));
    }
  }
  return members;
}

bool Program::may_know(std::size_t module, const ClassName& name) const {
  const ModuleSymbols* symbols = impl_->symbols(module);
  if (symbols == nullptr) return false;
  if (is_apart(module) && !name.text().starts_with("moult::")) return false;
  const std::string identifier(name.identifier());
  const std::string in_symbols = std::to_string(identifier.size()) + identifier;
  return symbols->may_name(in_symbols) || symbols->may_describe(identifier + '<') ||
         symbols->may_describe({identifier.c_str(), identifier.size() + 1});
}

std::size_t Program::debug_info_size(std::size_t module) const {
  const ModuleSymbols* symbols = impl_->symbols(module);
  return symbols != nullptr ? symbols->debug_info_size() : 0;
}

std::size_t Program::debug_info_size(CodeAddress address) const {
  const std::optional<std::size_t> module = module_at(address);
  return module ? debug_info_size(*module) : 0;
}

std::size_t Program::debug_info_size(std::string_view identifier) const {
  std::size_t size = 0;
  for (std::size_t i = 0; i < impl_->modules.size(); ++i) {
    const ModuleSymbols* symbols = is_apart(i) ? nullptr : impl_->symbols(i);
    if (symbols != nullptr && (symbols->may_name(identifier) || symbols->may_describe(identifier)))
      size += debug_info_size(i);
  }
  return size;
}

std::size_t Program::debug_info_size(const ClassName& name) const {
  std::size_t size = 0;
  for (std::size_t i = 0; i < impl_->modules.size(); ++i)
    if (may_know(i, name)) size += debug_info_size(i);
  return size;
}

bool Program::is_apart(std::size_t module) const {
  const ModuleSymbols* symbols = module > 0 ? impl_->symbols(module) : nullptr;
  return symbols != nullptr && (impl_->is_moult(module) || symbols->is_of_system_in_c());
}

const ModuleSymbols* Program::symbols_of(std::size_t module) const { return impl_->symbols(module); }

std::optional<std::size_t> Program::module_at(CodeAddress address) const { return impl_->module_at(address); }

}  // namespace moult::internal
