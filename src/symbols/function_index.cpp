#include "symbols/function_index.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/names.hpp"
#include "symbols/name_query.hpp"
#include "symbols/similar_name.hpp"

namespace moult::internal {
namespace {

/// Suffixes that rename a function without making it another.
constexpr std::string_view renamings[] = {".lto_priv", ".llvm", ".__uniq"};

/// Suffixes of parts that only the function itself leads to. clang compiles the body of a coroutine into the last
/// three, which are called through the coroutine's frame: one that was begun goes on in its old body.
constexpr std::string_view own_parts[] = {".cold", ".localalias", ".resume", ".destroy", ".cleanup"};

/// The length of `.word` and the `.number` components that follow.
std::size_t component_length(std::string_view text) {
  std::size_t length = text.find('.', 1);
  while (length < text.size() && length + 1 < text.size() &&
         std::isdigit(static_cast<unsigned char>(text[length + 1]))) {
    length = text.find('.', length + 1);
  }
  return std::min(length, text.size());
}

/// A hidden function becomes local when the linker hides it, without a source file. Its fragments keep theirs.
bool belongs_to(const Symbol& fragment, const Symbol& original) {
  if (&fragment == &original || fragment.begin == original.begin) return false;
  return !original.is_local || original.source.empty() || original.source == fragment.source;
}

/// Two symbols of one function differ only in name; the first in this order is kept.
std::tuple<std::uint64_t, bool, std::size_t, std::string_view> preference(const FunctionMatch& match) {
  return {match.original->begin, match.original->is_local, match.original->name.size(), match.original->name};
}

void drop_aliases(std::vector<FunctionMatch>& matches) {
  std::sort(matches.begin(), matches.end(),
            [](const FunctionMatch& a, const FunctionMatch& b) { return preference(a) < preference(b); });
  const auto same = [](const FunctionMatch& a, const FunctionMatch& b) {
    return a.original->begin == b.original->begin;
  };
  matches.erase(std::unique(matches.begin(), matches.end(), same), matches.end());
}

/// A deleting destructor (D0) reads like the destructor it calls (D1, D2), and is never meant.
void drop_deleting_destructors(std::vector<FunctionMatch>& matches) {
  std::set<std::string_view> names;
  for (const FunctionMatch& match : matches) names.insert(match.name.base);
  std::erase_if(matches, [&](const FunctionMatch& match) {
    const std::size_t kind = match.name.base.rfind("D0E");
    if (kind == std::string_view::npos) return false;
    std::string other(match.name.base);
    return std::any_of(std::begin("12"), std::end("12") - 1, [&](char digit) {
      other[kind + 1] = digit;
      return names.contains(other);
    });
  });
}

/// A thunk adjusts `this` or the result for a vtable. Its demangled name resembles the method's.
bool is_thunk(std::string_view mangled) {
  return mangled.starts_with("_ZTh") || mangled.starts_with("_ZTv") || mangled.starts_with("_ZTc");
}

/// False for fragments and thunks.
bool is_named_original(const SymbolName& name) { return name.suffix.empty() && !is_thunk(name.base); }

bool is_function(const Elf64_Sym& entry) {
  return ELF64_ST_TYPE(entry.st_info) == STT_FUNC || ELF64_ST_TYPE(entry.st_info) == STT_GNU_IFUNC;
}

/// An absolute symbol belongs to another module: moult has bound an update's name to it.
bool is_here(const Elf64_Sym& entry) { return entry.st_shndx != SHN_UNDEF && entry.st_shndx != SHN_ABS; }

/// True when one of the functions in the symbol tables has a name that `is_wanted`.
template <class IsWanted>
bool any_function(const std::vector<const ElfFile*>& tables, const IsWanted& is_wanted) {
  return std::any_of(tables.begin(), tables.end(), [&](const ElfFile* file) {
    const SymbolTable table(*file);
    const bool has_none = table.visit([&](const Elf64_Sym& entry, std::string_view name) {
      return !is_function(entry) || !is_here(entry) || !is_wanted(split_symbol_name(name));
    });
    table.release();
    return !has_none;
  });
}

/// Words that the demangler writes and the mangled name does not contain.
bool may_be_spelled_otherwise(std::string_view text) {
  const bool identifier = std::all_of(
      text.begin(), text.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
  if (!identifier) return true;
  constexpr std::string_view words =
      "anonymous namespace operator unsigned signed char short int long float double bool void const volatile lambda "
      "std basic_string allocator istream ostream iostream char_traits decltype auto nullptr_t new delete wchar_t "
      "char16_t char32_t char8_t __int128 __float128 unnamed type true false string restrict default clone";
  return words.find(text) != std::string_view::npos;
}

}  // namespace

SymbolName split_symbol_name(std::string_view name) {
  const std::size_t dot = name.find('.', 1);
  if (dot == std::string_view::npos) return {name, name, {}};
  std::size_t stem = dot;
  for (bool renamed = true; renamed && stem < name.size();) {
    const std::string_view rest = name.substr(stem);
    renamed = std::any_of(std::begin(renamings), std::end(renamings), [&](std::string_view renaming) {
      return rest.substr(0, renaming.size()) == renaming &&
             (rest.size() == renaming.size() || rest[renaming.size()] == '.');
    });
    if (renamed) stem += component_length(rest);
  }
  return {name.substr(0, dot), name.substr(0, stem), name.substr(stem)};
}

bool is_clone_suffix(std::string_view suffix) {
  const auto has = [suffix](std::string_view part) { return suffix.find(part) != std::string_view::npos; };
  return std::none_of(std::begin(own_parts), std::end(own_parts), has);
}

FunctionIndex::FunctionIndex(const std::vector<const ElfFile*>& tables, const ElfFile& program) {
  for (const ElfFile* file : tables) read_table(SymbolTable(*file));
  sort_by_address(program);
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    const SymbolName name = split_symbol_name(symbols_[i].name);
    if (!name.suffix.empty()) fragments_[name.stem].push_back(i);
  }
  // lld makes an indirect function whose address is taken look like a plain one: its symbol is a stub's. clang's is
  // f.ifunc.
  for (Symbol& symbol : symbols_) {
    const SymbolName name = split_symbol_name(symbol.name);
    const bool may_be_stub = name.suffix.empty() || name.suffix == ".ifunc";
    if (may_be_stub && has_resolver(name.stem)) symbol.is_resolver = true;
  }
}

bool FunctionIndex::has_resolver(std::string_view stem) const {
  const auto fragments = fragments_.find(stem);
  return fragments != fragments_.end() && std::ranges::any_of(fragments->second, [&](std::size_t fragment) {
           return split_symbol_name(symbols_[fragment].name).suffix == ".resolver";
         });
}

void FunctionIndex::read_table(const SymbolTable& table) {
  std::string_view source;
  symbols_.reserve(symbols_.size() + table.size());
  table.visit([&](const Elf64_Sym& entry, std::string_view name) {
    const int type = ELF64_ST_TYPE(entry.st_info);
    if (type == STT_FILE) source = name;
    if (!is_here(entry) || name.empty()) return true;
    const bool is_local = ELF64_ST_BIND(entry.st_info) == STB_LOCAL;
    if (type == STT_OBJECT) data_.push_back({name, entry.st_value, entry.st_size, is_local});
    if (!is_function(entry)) return true;
    Symbol symbol;
    symbol.name = name;
    symbol.begin = entry.st_value;
    symbol.end = entry.st_value + entry.st_size;
    symbol.is_local = is_local;
    symbol.is_weak = ELF64_ST_BIND(entry.st_info) == STB_WEAK;
    if (symbol.is_local) symbol.source = source;
    symbol.is_resolver = type == STT_GNU_IFUNC;
    symbol.has_size = entry.st_size > 0;
    symbols_.push_back(symbol);
    return true;
  });
}

/// Assembly functions may have no size: they end at the next function or the section's end.
void FunctionIndex::sort_by_address(const ElfFile& program) {
  std::sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) {
    return std::tie(a.begin, a.is_local, a.name) < std::tie(b.begin, b.is_local, b.name);
  });
  const std::vector<CodeRange> sections = program.code_sections();
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    Symbol& symbol = symbols_[i];
    if (symbol.has_size) continue;
    const CodeRange* section = range_at(sections, symbol.begin);
    symbol.end = section != nullptr ? value(section->end) : symbol.begin;
    std::size_t next = i + 1;
    while (next < symbols_.size() && symbols_[next].begin == symbol.begin) ++next;
    if (next < symbols_.size()) symbol.end = std::min(symbol.end, symbols_[next].begin);
  }
  // A damaged file names code that it does not have.
  const CodeRange loaded = program.loaded_range();
  std::erase_if(symbols_, [&](const Symbol& symbol) {
    return symbol.begin >= symbol.end || !loaded.contains(CodeAddress{symbol.begin});
  });
  std::uint64_t last = 0;
  last_end_.reserve(symbols_.size());
  for (const Symbol& symbol : symbols_) last_end_.push_back(last = std::max(last, symbol.end));
}

FunctionMatch FunctionIndex::match_of(const Symbol& original) const {
  FunctionMatch match{&original, split_symbol_name(original.name), {}};
  const auto fragments = fragments_.find(match.name.stem);
  if (fragments == fragments_.end()) return match;
  for (const std::size_t fragment : fragments->second) {
    if (belongs_to(symbols_[fragment], original)) match.fragments.push_back(&symbols_[fragment]);
  }
  return match;
}

std::vector<FunctionMatch> FunctionIndex::find(const NameQuery& query) const {
  std::vector<FunctionMatch> exact;
  std::vector<FunctionMatch> loose;
  for (const Symbol& symbol : symbols_) {
    const SymbolName name = split_symbol_name(symbol.name);
    if (!query.may_fit(name.base) || !name.suffix.empty() || symbol.is_resolver || is_thunk(name.base)) continue;
    if (!query.fits_source(symbol.source)) continue;
    const NameQuery::Fit fit = query.fit(name.base, demangle(std::string(name.base)));
    if (fit != NameQuery::Fit::none) (fit == NameQuery::Fit::exact ? exact : loose).push_back(match_of(symbol));
  }
  add_orphans(query, exact);
  std::vector<FunctionMatch>& matches = exact.empty() ? loose : exact;
  std::vector<FunctionMatch> orphans;
  std::erase_if(matches, [&](FunctionMatch& match) {
    if (match.original != nullptr) return false;
    orphans.push_back(std::move(match));
    return true;
  });
  drop_aliases(matches);
  drop_deleting_destructors(matches);
  std::move(orphans.begin(), orphans.end(), std::back_inserter(matches));
  return std::move(matches);
}

std::vector<FunctionMatch> FunctionIndex::find_indirect(const NameQuery& query) const {
  std::vector<FunctionMatch> matches;
  for (const Symbol& symbol : symbols_) {
    if (!symbol.is_resolver) continue;
    const SymbolName name = split_symbol_name(symbol.name);  // clang's is f.ifunc
    if (!query.may_fit(name.base) || !query.fits_source(symbol.source)) continue;
    if (query.fit(name.base, demangle(std::string(name.base))) == NameQuery::Fit::exact)
      matches.push_back({&symbol, name, {}});
  }
  return matches;
}

FunctionMatch FunctionIndex::match_of_fragment(const Symbol& fragment) const {
  const SymbolName name = split_symbol_name(fragment.name);
  for (const Symbol& symbol : symbols_) {
    // f.localalias is f itself under another name.
    const bool is_original = symbol.begin == fragment.begin || belongs_to(fragment, symbol);
    if (symbol.name == name.stem && is_original) return match_of(symbol);
  }
  FunctionMatch orphan{nullptr, name, {}};
  for (const std::size_t other : fragments_.at(name.stem)) {
    if (symbols_[other].source == fragment.source) orphan.fragments.push_back(&symbols_[other]);
  }
  return orphan;
}

/// Adds functions that exist only as changed copies, not as versions of an indirect function.
void FunctionIndex::add_orphans(const NameQuery& query, std::vector<FunctionMatch>& matches) const {
  std::set<const Symbol*> seen;
  for (const auto& [stem, fragments] : fragments_) {
    const std::string_view base = split_symbol_name(stem).base;
    if (!query.may_fit(base) || query.fit(base, demangle(std::string(base))) != NameQuery::Fit::exact) continue;
    if (has_resolver(stem)) continue;
    for (const std::size_t fragment : fragments) {
      if (seen.contains(&symbols_[fragment]) || !query.fits_source(symbols_[fragment].source)) continue;
      FunctionMatch match = match_of_fragment(symbols_[fragment]);
      seen.insert(match.fragments.begin(), match.fragments.end());
      if (match.original == nullptr) matches.push_back(std::move(match));
    }
  }
}

/// `may_fit` tests the mangled name first; `fits` tests the demangled name if that succeeds.
template <class MayFit, class Fits>
std::vector<FunctionMatch> FunctionIndex::originals(const MayFit& may_fit, const Fits& fits) const {
  std::vector<FunctionMatch> matches;
  for (const Symbol& symbol : symbols_) {
    const SymbolName name = split_symbol_name(symbol.name);
    if (!is_named_original(name) || symbol.is_resolver || !may_fit(name.base)) continue;
    if (fits(demangle(std::string(name.base)))) matches.push_back(match_of(symbol));
  }
  drop_aliases(matches);
  drop_deleting_destructors(matches);
  return matches;
}

std::vector<FunctionMatch> FunctionIndex::search(std::string_view text) const {
  const bool demangle_all = may_be_spelled_otherwise(text);
  return originals([&](std::string_view base) { return demangle_all || base.find(text) != std::string_view::npos; },
                   [&](const std::string& name) { return name.find(text) != std::string::npos; });
}

std::vector<FunctionMatch> FunctionIndex::similar(std::string_view last_name) const {
  SimilarName wanted(last_name);
  std::multimap<std::size_t, FunctionMatch> by_typos;
  for (FunctionMatch& match : originals([&](std::string_view base) { return wanted.may_fit(base); },
                                        [&](const std::string& name) { return wanted.fits(name); })) {
    const std::string name = demangle(std::string(match.name.base));
    by_typos.emplace(typos_between(plain_last_name(name), last_name), std::move(match));
  }
  std::vector<FunctionMatch> matches;
  for (auto& [typos, match] : by_typos) matches.push_back(std::move(match));
  return matches;
}

bool FunctionIndex::may_find(const std::vector<const ElfFile*>& tables, const NameQuery& query) {
  return any_function(tables, [&](const SymbolName& name) { return query.may_fit(name.base); });
}

bool FunctionIndex::may_find_similar(const std::vector<const ElfFile*>& tables, std::string_view last_name) {
  SimilarName wanted(last_name);
  return any_function(tables, [&](const SymbolName& name) {
    return is_named_original(name) && wanted.may_fit(name.base) && wanted.fits(demangle(std::string(name.base)));
  });
}

std::vector<FunctionMatch> FunctionIndex::members_of(const ClassName& of_class) const {
  const std::string part = of_class.mangled_part_of_members();
  std::vector<FunctionMatch> members;
  for (const Symbol& symbol : symbols_) {
    const SymbolName name = split_symbol_name(symbol.name);
    // The mangled name of a member is nested; a thunk's is not.
    if (name.base.substr(0, 3) != "_ZN" || !name.suffix.empty() || symbol.is_resolver) continue;
    if (name.base.find(part) == std::string_view::npos) continue;
    const std::string demangled = demangle(std::string(name.base));
    if (scope_of(qualified_name(demangled)) == of_class.text()) members.push_back(match_of(symbol));
  }
  return members;
}

std::optional<FunctionMatch> FunctionIndex::at(std::uint64_t address) const {
  const auto after = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                                      [](std::uint64_t wanted, const Symbol& symbol) { return wanted < symbol.begin; });
  const Symbol* best = nullptr;
  for (std::size_t i = static_cast<std::size_t>(after - symbols_.begin()); i-- > 0 && last_end_[i] > address;) {
    if (symbols_[i].end <= address) continue;
    // The innermost symbol; at one address the first, which is the best by the sort order.
    if (best != nullptr && best->begin != symbols_[i].begin) break;
    best = &symbols_[i];
  }
  if (best == nullptr) return std::nullopt;
  return split_symbol_name(best->name).suffix.empty() ? match_of(*best) : match_of_fragment(*best);
}

std::vector<const Symbol*> FunctionIndex::aliases_of(std::uint64_t begin) const {
  std::vector<const Symbol*> aliases;
  const auto first = std::lower_bound(symbols_.begin(), symbols_.end(), begin,
                                      [](const Symbol& symbol, std::uint64_t wanted) { return symbol.begin < wanted; });
  for (auto symbol = first; symbol != symbols_.end() && symbol->begin == begin; ++symbol) aliases.push_back(&*symbol);
  return aliases;
}

std::optional<std::uint64_t> FunctionIndex::find_data(std::string_view mangled) const {
  for (const DataSymbol& symbol : data_) {
    if (symbol.name == mangled) return symbol.address;
  }
  return std::nullopt;
}

std::vector<DataPlace> FunctionIndex::find_all_data(std::string_view mangled) const {
  std::vector<DataPlace> places;
  for (const DataSymbol& symbol : data_) {
    if (symbol.name == mangled) places.push_back({symbol.address, symbol.size});
  }
  return places;
}

const FunctionIndex::DataSymbol* FunctionIndex::data_at(std::uint64_t address) const {
  const auto found =
      std::ranges::find_if(data_, [&](const DataSymbol& each) { return address - each.address < each.size; });
  return found == data_.end() ? nullptr : &*found;
}

std::vector<std::pair<std::string_view, DataPlace>> FunctionIndex::data_beginning_with(
    std::string_view beginning) const {
  std::vector<std::pair<std::string_view, DataPlace>> found;
  for (const DataSymbol& symbol : data_) {
    if (symbol.name.starts_with(beginning)) found.push_back({symbol.name, {symbol.address, symbol.size}});
  }
  return found;
}

}  // namespace moult::internal
