// A source as the preprocessor leaves it: one text with all headers and no macros, in which classes and the
// initialisers of their fields are found, and which can be added to and compiled.
//
//   PreprocessedSource source(text, "/src/build");
//   const std::optional<ClassBody> body = source.class_body("Item", {"/src/item.hpp", 12});
//   const std::string more = source.with({{body->end, {0, "void more();"}}});
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "symbols/place.hpp"

namespace moult::internal::diff {

/// Offsets in the text.
struct ClassBody {
  std::size_t begin = 0;  ///< behind the opening brace
  std::size_t end = 0;    ///< of the closing brace
};

/// The definition of a variable.
struct VariableText {
  std::string initialiser;  ///< "= 3", "{1, 2}", "(1, 2)", ""
  std::size_t begin = 0;    ///< of the name
  std::size_t end = 0;      ///< behind the definition's semicolon
  bool is_constexpr = false;
  bool has_literals_alone = false;  ///< the initialiser: "= -3", "", "{}"
};

struct Replacement {
  std::size_t length = 0;  ///< of what it replaces; 0: it is added
  std::string text;
};

class PreprocessedSource final {
 public:
  /// `directory` is what relative names of files are relative to.
  PreprocessedSource(std::string text, std::string directory);

  /// The definition of the class `name` (without scopes) nearest to that line.
  std::optional<ClassBody> class_body(std::string_view name, const SourceLine& place) const;
  /// What initialises the field of that name by its declaration: "= 3", "{1, 2}"; "" without an initialiser. Nothing if
  /// the class declares no such field by itself.
  std::optional<std::string> initialiser(const ClassBody& body, std::string_view field) const;
  /// The variable of that name (without scopes), declared at that line outside of classes.
  std::optional<VariableText> variable(std::string_view name, const SourceLine& place) const;
  /// The words in `text` with their scopes, as "count" and "app::one" in "= count + app::one", and "[".
  static std::vector<std::string> words_of(const std::string& text);

  /// Where lines may be put before all code. What the text begins with tells the compiler the source's name.
  std::size_t before_code() const;
  /// The text with these, by the offsets where they begin; npos is the text's end.
  std::string with(const std::map<std::size_t, Replacement>& replacements) const;

  /// Words, numbers, texts and signs, by their numbers. Beyond the last, all are "".
  std::size_t size() const noexcept { return tokens_.size(); }
  std::string_view text(std::size_t token) const {
    return token < tokens_.size() ? text_of(tokens_[token]) : std::string_view();
  }
  std::size_t begin(std::size_t token) const { return tokens_[token].begin; }
  std::size_t end(std::size_t token) const { return tokens_[token].end; }
  const std::string& file(std::size_t token) const { return files_[tokens_[token].file]; }
  /// The token behind the group that begins with an opening parenthesis, brace or bracket.
  std::size_t behind_group(std::size_t token) const;
  static bool is_word(std::string_view token);

 private:
  struct Token {
    std::size_t begin = 0;
    std::size_t end = 0;
    unsigned line = 0;
    std::size_t file = 0;  ///< in files_
  };

  void read_tokens();
  std::size_t end_of_token(std::size_t at) const;
  std::size_t read_marker(std::size_t at, unsigned& line, std::size_t& file);
  std::string_view text_of(const Token& token) const {
    return std::string_view(text_).substr(token.begin, token.end - token.begin);
  }
  std::string text_between(std::size_t first, std::size_t last) const;
  std::size_t behind_initialisers(std::size_t token) const;
  bool begins_another_field(std::size_t token) const;
  std::optional<std::size_t> behind_declarator(std::size_t token, std::string_view field) const;
  std::optional<std::string> initialiser_at(std::size_t token, std::size_t end) const;

  std::string text_;
  std::string directory_;
  std::vector<std::string> files_;
  std::vector<Token> tokens_;
};

}  // namespace moult::internal::diff
