#include "symbols/program.hpp"

#include <algorithm>
#include <utility>

#include "moult/error.hpp"
#include "symbols/module_list.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/unwind_table.hpp"

namespace moult::symbols {
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
  const Symbol* known = match.original != nullptr ? match.original : match.pieces.empty() ? nullptr : match.pieces[0];
  if (match.original != nullptr) function.range = at_run_time(module, known->begin, known->end);
  if (known != nullptr) {
    function.source = known->source;
    function.is_local = known->is_local;
  }
  for (const Symbol* piece : match.pieces) {
    function.pieces.push_back(at_run_time(module, piece->begin, piece->end));
    if (is_clone_suffix(split_symbol_name(piece->name).suffix)) {
      function.clones.push_back(demangle(std::string(piece->name)));
    }
  }
  return function;
}

}  // namespace

class Program::Impl {
 public:
  explicit Impl(std::vector<ModulePlace> places) {
    files_.reserve(places.size());
    for (ModulePlace& place : places) {
      files_.emplace_back(place);
      modules.push_back(std::move(place.module));
    }
  }

  /// The symbols of a module, opened now if they were not; null when they cannot be read.
  const ModuleSymbols* symbols(std::size_t module) { return files_[module].symbols(modules[module].problem); }

  std::optional<std::size_t> module_at(CodeAddress address) const {
    for (std::size_t i = 0; i < modules.size(); ++i) {
      if (modules[i].text.contains(address)) return i;
    }
    return std::nullopt;
  }

  std::optional<std::size_t> module_of(const FunctionSymbol& function) const {
    for (std::size_t i = 0; i < modules.size(); ++i) {
      if (modules[i].path == function.module) return i;
    }
    return std::nullopt;
  }

  std::vector<Module> modules;

 private:
  std::vector<LazyModule> files_;
};

Program::Program(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Program::~Program() = default;
Program::Program(Program&&) noexcept = default;

Program Program::of_this_process() { return Program(std::make_unique<Impl>(modules_of_this_process())); }

Program Program::of_process(int pid) { return Program(std::make_unique<Impl>(modules_of_process(pid))); }

Program Program::of_file(const std::string& path) {
  ModulePlace place;
  place.module = {.path = path, .bias = 0, .text = ElfFile::open(path).loaded_range(), .problem = {}};
  place.open_path = path;
  std::vector<ModulePlace> places;
  places.push_back(std::move(place));
  return Program(std::make_unique<Impl>(std::move(places)));
}

std::span<const Module> Program::modules() const noexcept { return impl_->modules; }

std::vector<FunctionSymbol> Program::find(std::string_view name) const {
  const NameQuery query(name);
  std::vector<FunctionSymbol> found;
  for (std::size_t i = 0; i < impl_->modules.size(); ++i) {
    const ModuleSymbols* symbols = impl_->symbols(i);
    if (symbols == nullptr) continue;
    for (const FunctionMatch& match : symbols->functions().find(query)) {
      found.push_back(to_function(impl_->modules[i], match));
    }
  }
  return found;
}

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

}  // namespace moult::symbols
