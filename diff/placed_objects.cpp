#include "diff/placed_objects.hpp"

#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "base/names.hpp"
#include "symbols/function_index.hpp"

namespace moult::internal::diff {
namespace {

constexpr std::string_view of_operator =
    "template <class... moult_types> void* operator new(decltype(sizeof 0), ::moult_mark, moult_types...) noexcept;";
constexpr std::string_view declarations =
    "enum class moult_mark {}; template <class moult_type> void moult_placed(moult_type*) noexcept; ";

class Marker final {
 public:
  explicit Marker(const PreprocessedSource& source) : source_(source) {
    replacements_[0] = {0, std::string(declarations) + std::string(of_operator) + "\n"};
  }

  std::string run() {
    for (std::size_t i = 0; i + 1 < source_.size(); ++i) {
      const std::string_view text = source_.text(i);
      if (text == "{") scopes_.push_back(i);
      if (text == "}" && !scopes_.empty()) scopes_.pop_back();
      if (text == "construct_at" && source_.text(i + 1) == "(") mark_definition(i);
      if (text == "::" && source_.text(i + 1) == "new" && i >= end_of_constructing_) mark_expression(i);
      if (text == "operator" && source_.text(i + 1) == "new") mark_operator(i);
    }
    return source_.with(replacements_);
  }

 private:
  /// `::new (place) Item` becomes `new (::moult_mark{}, place) Item`, which is looked for in the class first, and
  /// `::new Item` becomes `new (::moult_mark{}) Item`.
  void mark_expression(std::size_t colons) {
    const std::size_t behind = colons + 2;
    bool has_place = false;
    if (source_.text(behind) == "(") {
      const std::string_view next = source_.text(source_.behind_group(behind));
      has_place = next == "::" || PreprocessedSource::is_word(next);
    }
    replacements_[source_.begin(colons)] = {2, " "};
    if (has_place)
      replacements_[source_.end(behind)] = {0, "::moult_mark{}, "};
    else
      replacements_[source_.end(colons + 1)] = {0, " (::moult_mark{}) "};
  }

  /// A class with an operator new of its own hides the global one with the mark, and gets one, too.
  void mark_operator(std::size_t word) {
    const std::size_t parameters = word + 2;
    if (word == 0 || source_.text(word - 1) != "*" || source_.text(parameters) != "(") return;
    std::size_t end = source_.behind_group(parameters);
    const bool is_placement_of_pools =
        source_.file(word).ends_with("/moult/data_access.hpp") && source_.text(end - 2) == "place";
    while (source_.text(end) != ";" && source_.text(end) != "{" && !source_.text(end).empty())
      end = source_.text(end) == "(" ? source_.behind_group(end) : end + 1;
    const bool has_body = source_.text(end) == "{";
    const std::size_t last = has_body ? source_.behind_group(end) - 1 : end;
    if (is_placement_of_pools && has_body)
      replacements_[source_.begin(end)] = {source_.end(last) - source_.begin(end), ";"};
    if (marked_.insert(scopes_.empty() ? 0 : scopes_.back()).second)
      replacements_[source_.end(last)] = {0, std::string(of_operator)};
  }

  /// std::construct_at is also called at compile time, when it must be as it was.
  void mark_definition(std::size_t name) {
    const std::size_t behind = source_.behind_group(name + 1);
    std::size_t parameter = name + 2;
    while (parameter < behind && source_.text(parameter) != "," && source_.text(parameter) != ")") ++parameter;
    std::size_t body = behind;
    for (std::string_view text = source_.text(body); text != "{"; text = source_.text(body)) {
      if (text != "(" && text != "-" && text != ">" && text != "::" && !PreprocessedSource::is_word(text)) return;
      body = text == "(" ? source_.behind_group(body) : body + 1;
    }
    end_of_constructing_ = source_.behind_group(body);
    replacements_[source_.end(body)] = {0, " if (!__builtin_is_constant_evaluated()) ::moult_placed(" +
                                               std::string(source_.text(parameter - 1)) + "); "};
  }

  const PreprocessedSource& source_;
  std::map<std::size_t, Replacement> replacements_;
  std::vector<std::size_t> scopes_;  ///< braces that are open
  std::set<std::size_t> marked_;     ///< those with an operator of ours
  std::size_t end_of_constructing_ = 0;
};

/// The class that the mark is for: "app::Item" of "void moult_placed<app::Item>(app::Item*)" and of
/// "void* moult::Updatable<app::Item, 64ul>::operator new<void*>(unsigned long, moult_mark, void*)". "" if it is none.
std::string_view marked_class(std::string_view function) {
  static constexpr std::string_view constructing = "void moult_placed<";
  static constexpr std::string_view pool = "moult::Updatable<";
  if (function.starts_with(constructing)) {
    const std::size_t end = function.find(">(");
    return end == std::string_view::npos ? "" : function.substr(constructing.size(), end - constructing.size());
  }
  const std::size_t begin = function.find(pool);
  const std::size_t end = function.find(">::operator new");
  const bool is_mark =
      function.find("moult_mark") != std::string_view::npos || function.ends_with("(unsigned long, void*)");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin || !is_mark) return "";
  const std::string_view arguments = function.substr(begin + pool.size(), end - begin - pool.size());
  return arguments.substr(0, arguments.rfind(", "));
}

}  // namespace

std::string with_marks(const PreprocessedSource& source) { return Marker(source).run(); }

std::set<std::string> functions_placing(const std::string& class_name, const ObjectFile& object) {
  std::set<std::size_t> marks;
  for (std::size_t i = 0; i < object.symbols().size(); ++i) {
    const ObjectSymbol& symbol = object.symbols()[i];
    const bool is_undefined = symbol.section == 0 && symbol.name.starts_with("_Z");
    if (is_undefined && marked_class(demangle(std::string(symbol.name))) == class_name) marks.insert(i);
  }
  std::set<std::string> found;
  for (std::size_t number = 0; number < object.sections().size() && !marks.empty(); ++number)
    for (const Relocation& each : object.sections()[number].relocations) {
      if (!marks.contains(each.symbol) || !object.sections()[number].is_code()) continue;
      const ObjectSymbol* const function = object.symbol_at(number, each.offset);
      found.insert(function != nullptr ? demangle(std::string(split_symbol_name(function->name).base))
                                       : "code without a name");
    }
  return found;
}

}  // namespace moult::internal::diff
