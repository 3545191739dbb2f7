// Tokens are enough: a definition is found by its line and its name, a field by its name among the tokens of the class
// that lie in no inner braces or brackets.
//
// Limits: in `T a = f<x, y>(), b;` the comma between template arguments and the one between fields look alike; the one
// that a declared name follows ends the initialiser.
#include "diff/preprocessed_source.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>

#include "base/names.hpp"

namespace moult::internal::diff {
namespace {

namespace fs = std::filesystem;

bool is_of_word(char letter) { return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_'; }

bool opens(std::string_view token) { return token == "(" || token == "{" || token == "["; }
bool closes(std::string_view token) { return token == ")" || token == "}" || token == "]"; }

}  // namespace

PreprocessedSource::PreprocessedSource(std::string text, std::string directory)
    : text_(std::move(text)), directory_(std::move(directory)), files_{""} {
  read_tokens();
}

/// `# 12 "item.hpp" 2`: the next line is the 12th of that file. Returns the end of the marker's line.
std::size_t PreprocessedSource::read_marker(std::size_t at, unsigned& line, std::size_t& file) {
  const std::size_t end = std::min(text_.find('\n', at), text_.size());
  std::string_view marker = std::string_view(text_).substr(at, end - at);
  marker.remove_prefix(std::min(marker.find_first_of("0123456789"), marker.size()));
  unsigned number = 0;
  const auto [behind, error] = std::from_chars(marker.data(), marker.data() + marker.size(), number);
  const std::size_t name = marker.find('"');
  if (error != std::errc{} || name == std::string_view::npos) return end;  // a #pragma
  const std::string shown(marker.substr(name + 1, marker.rfind('"') - name - 1));
  const std::string path = (fs::path(directory_) / shown).lexically_normal().string();
  const auto known = std::ranges::find(files_, path);
  file = static_cast<std::size_t>(known - files_.begin());
  if (known == files_.end()) files_.push_back(path);
  line = number - 1;  // the end of this line is yet to come
  return end;
}

/// Of a word, a number, a text or a single sign.
std::size_t PreprocessedSource::end_of_token(std::size_t at) const {
  const std::string_view text = text_;
  std::size_t end = at;
  while (end < text.size() && is_of_word(text[end])) ++end;
  const char quote = end < text.size() ? text[end] : ' ';
  const std::string_view prefix = text.substr(at, end - at);
  const bool is_number = !prefix.empty() && std::isdigit(static_cast<unsigned char>(prefix.front())) != 0;
  if (is_number && (quote == '\'' || quote == '.')) return end_of_token(end + 1);  // 1'000, 2.5
  const bool is_prefix = prefix.empty() || prefix == "L" || prefix == "u" || prefix == "U" || prefix == "u8";
  if (quote == '"' && prefix.ends_with('R') && prefix.size() <= 3) {
    const std::size_t open = text.find('(', end);
    if (open == std::string_view::npos) return text.size();
    const std::string close = ")" + std::string(text.substr(end + 1, open - end - 1)) + "\"";
    const std::size_t found = text.find(close, open);
    return found == std::string_view::npos ? text.size() : found + close.size();
  }
  if ((quote == '"' || quote == '\'') && is_prefix) {
    for (++end; end < text.size() && text[end] != quote && text[end] != '\n'; ++end)
      if (text[end] == '\\') ++end;
    return std::min(end + 1, text.size());
  }
  if (text.substr(at, 2) == "::") return at + 2;
  return end == at ? at + 1 : end;
}

void PreprocessedSource::read_tokens() {
  unsigned line = 1;
  std::size_t file = 0;
  bool is_line_begin = true;
  for (std::size_t at = 0; at < text_.size();) {
    const char letter = text_[at];
    if (letter == '\n') {
      ++line;
      ++at;
      is_line_begin = true;
    } else if (std::isspace(static_cast<unsigned char>(letter)) != 0) {
      ++at;
    } else if (letter == '#' && is_line_begin) {
      at = read_marker(at, line, file);
    } else {
      const std::size_t end = end_of_token(at);
      tokens_.push_back({at, end, line, file});
      line += static_cast<unsigned>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at),
                                               text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
      at = end;
      is_line_begin = false;
    }
  }
}

bool PreprocessedSource::is_word(std::string_view token) {
  return !token.empty() && (std::isalpha(static_cast<unsigned char>(token.front())) != 0 || token.front() == '_');
}

std::size_t PreprocessedSource::behind_group(std::size_t token) const {
  int depth = 0;
  for (; token < tokens_.size(); ++token) {
    const std::string_view text = text_of(tokens_[token]);
    if (opens(text)) ++depth;
    if (closes(text) && --depth == 0) return token + 1;
  }
  return tokens_.size();
}

std::optional<ClassBody> PreprocessedSource::class_body(std::string_view name, const SourceLine& place) const {
  constexpr int farthest = 3;  // lines between a name and the keyword before it
  const std::string file = (fs::path(directory_) / place.file).lexically_normal().string();
  std::optional<ClassBody> found;
  int nearest = farthest + 1;
  for (std::size_t i = 0; i + 1 < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    if (text_of(token) != name || files_[token.file] != file) continue;
    const int distance = std::abs(static_cast<int>(token.line) - static_cast<int>(place.line));
    if (distance >= nearest) continue;
    // Of `class Item : public Base<int> {` and `class Item final {`, the first brace; `Item *p;` has none before `;`.
    std::size_t at = i + 1;
    std::string_view text = text_of(tokens_[at]);
    if (text != "{" && text != ":" && text != "final") continue;
    while (at < tokens_.size() && (text = text_of(tokens_[at])) != "{" && text != ";" && !closes(text))
      at = opens(text) ? behind_group(at) : at + 1;
    const std::size_t behind = at < tokens_.size() && text == "{" ? behind_group(at) : tokens_.size();
    if (at >= tokens_.size() || text != "{" || text_of(tokens_[behind - 1]) != "}") continue;
    found = ClassBody{tokens_[at].end, tokens_[behind - 1].begin};
    nearest = distance;
  }
  return found;
}

/// Of `int a = f<x, y>(), b = 2;` the second comma.
bool PreprocessedSource::begins_another_field(std::size_t token) const {
  while (token < tokens_.size() && (text_of(tokens_[token]) == "*" || text_of(tokens_[token]) == "&")) ++token;
  if (token + 1 >= tokens_.size() || !is_word(text_of(tokens_[token]))) return false;
  const std::string_view behind = text_of(tokens_[token + 1]);
  return behind == ";" || behind == "=" || behind == "{" || behind == "[" || behind == ",";
}

/// Of `Item(int n) : count(n), name{"x"} {`, from the colon on, the body's brace; `token` itself if there is none.
std::size_t PreprocessedSource::behind_initialisers(std::size_t token) const {
  std::size_t at = token;
  while (at < tokens_.size() && (text_of(tokens_[at]) == "noexcept" || text_of(tokens_[at]) == "("))
    at = text_of(tokens_[at]) == "(" ? behind_group(at) : at + 1;
  if (at >= tokens_.size() || text_of(tokens_[at]) != ":") return token;
  do {
    while (at < tokens_.size() && text_of(tokens_[at]) != "(" && text_of(tokens_[at]) != "{") ++at;
    at = behind_group(at);
  } while (at < tokens_.size() && text_of(tokens_[at]) == ",");
  return at;
}

/// From one token to another one, in a line: macros of system headers leave markers of lines between them.
std::string PreprocessedSource::text_between(std::size_t first, std::size_t last) const {
  std::string all;
  for (std::size_t i = first; i <= last && i < tokens_.size(); ++i) {
    if (i > first) {
      const std::size_t end = tokens_[i - 1].end;
      const std::string_view between = std::string_view(text_).substr(end, tokens_[i].begin - end);
      all += between.find('#') == std::string_view::npos ? between : " ";
    }
    all += text(i);
  }
  return all;
}

/// Of a field or a variable, behind its name; nothing if it is none.
std::optional<std::string> PreprocessedSource::initialiser_at(std::size_t token, std::size_t end) const {
  const std::string_view behind = text(token);
  if (behind == ";" || behind == ",") return std::string();
  if (behind == "{") return text_between(token, behind_group(token) - 1);
  if (behind != "=") return std::nullopt;
  const std::size_t begin = token;
  bool has_template = false;
  for (std::size_t at = begin; at < tokens_.size() && tokens_[at].begin < end; ++at) {
    while (at < tokens_.size() && opens(text_of(tokens_[at]))) at = behind_group(at);
    const std::string_view each = text(at);
    has_template |= each == "<";
    if (each == ";" || (each == "," && (!has_template || begins_another_field(at + 1))))
      return text_between(begin, at - 1);
  }
  return std::nullopt;
}

std::optional<VariableText> PreprocessedSource::variable(std::string_view name, const SourceLine& place) const {
  const std::string file = (fs::path(directory_) / place.file).lexically_normal().string();
  for (std::size_t i = 1; i < tokens_.size(); ++i) {
    if (text(i) != name || tokens_[i].line != static_cast<unsigned>(place.line) || files_[tokens_[i].file] != file)
      continue;
    const bool is_member = text(i - 1) == "." || (text(i - 1) == ">" && i > 1 && text(i - 2) == "-");
    if (text(i - 1) == "::" || is_member) continue;
    std::size_t at = i + 1;
    while (text(at) == "[") at = behind_group(at);
    std::optional<std::string> initialiser = initialiser_at(at, text_.size());
    if (text(at) == "(") initialiser = text_between(at, behind_group(at) - 1);
    if (!initialiser) continue;
    const bool has_names = std::ranges::any_of(words_of(*initialiser), [](const std::string& word) {
      return word != "[" && word != "true" && word != "false" && word != "nullptr";
    });
    bool is_constexpr = false;
    for (std::size_t word = i; word > 0 && text(word) != ";" && text(word) != "{" && text(word) != "}"; --word)
      is_constexpr |= text(word) == "constexpr" || text(word) == "constinit";
    while (at < tokens_.size() && text(at) != ";") at = opens(text(at)) ? behind_group(at) : at + 1;
    if (at < tokens_.size())
      return VariableText{*initialiser, tokens_[i].begin, tokens_[at].end, is_constexpr, !has_names};
  }
  return std::nullopt;
}

/// Of `int (*field)(int) const = nullptr;` from the first parenthesis on, the `=`; likewise of `int (Item::*field)() =
/// …` and `int (*field[2])(int) = …`. Nothing if it does not declare the field.
std::optional<std::size_t> PreprocessedSource::behind_declarator(std::size_t token, std::string_view field) const {
  const std::size_t behind = behind_group(token);
  std::size_t name = token + 1;
  while (name + 1 < behind && text(name) != field) ++name;
  std::size_t before = name - 1;
  while (before > token && (text(before) == "const" || text(before) == "volatile")) --before;
  if (text(token) != "(" || text(name) != field || text(before) != "*") return std::nullopt;
  std::size_t at = name + 1;
  while (text(at) == "[") at = behind_group(at);
  if (at + 1 != behind) return std::nullopt;
  for (at = behind; text(at) == "(" || text(at) == "[" || text(at) == "&" || is_word(text(at));)
    at = opens(text(at)) ? behind_group(at) : at + 1;
  return at;
}

std::optional<std::string> PreprocessedSource::initialiser(const ClassBody& body, std::string_view field) const {
  auto first = std::ranges::lower_bound(tokens_, body.begin, {}, &Token::begin);
  for (std::size_t i = static_cast<std::size_t>(first - tokens_.begin());
       i + 1 < tokens_.size() && tokens_[i].begin < body.end;) {
    const std::string_view text = text_of(tokens_[i]);
    if (opens(text)) {
      const bool are_parameters = text == "(";
      if (const std::optional<std::size_t> behind = behind_declarator(i, field))
        if (std::optional<std::string> found = initialiser_at(*behind, body.end)) return found;
      i = behind_group(i);
      if (are_parameters) i = behind_initialisers(i);
      continue;
    }
    const bool is_qualified = i > 0 && text_of(tokens_[i - 1]) == "::";
    std::size_t at = ++i;
    if (text != field || is_qualified || text_of(tokens_[at]) == "::") continue;
    while (at < tokens_.size() && text_of(tokens_[at]) == "[") at = behind_group(at);
    if (text_of(tokens_[at]) == ":")  // the width of a bit-field
      while (at < tokens_.size() && (text_of(tokens_[at]) != "=" && text_of(tokens_[at]) != "{" &&
                                     text_of(tokens_[at]) != ";" && text_of(tokens_[at]) != ","))
        at = opens(text_of(tokens_[at])) ? behind_group(at) : at + 1;
    if (std::optional<std::string> found = initialiser_at(at, body.end)) return found;
  }
  return std::nullopt;
}

std::vector<std::string> PreprocessedSource::words_of(const std::string& text) {
  const PreprocessedSource source(text, "/");
  std::vector<std::string> words;
  std::string scope;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const std::string_view each = source.text(i);
    if (is_word(each) && source.text(i + 1) != "::")
      words.push_back(scope + std::string(each));
    else if (each == "[")
      words.emplace_back(each);
    scope = each == "::" || (is_word(each) && source.text(i + 1) == "::") ? scope + std::string(each) : "";
  }
  return words;
}

std::size_t PreprocessedSource::before_code() const {
  const std::size_t marker = tokens_.empty() ? std::string::npos : text_.rfind("\n#", tokens_.front().begin);
  return marker == std::string::npos ? 0 : marker + 1;
}

std::string PreprocessedSource::with(const std::map<std::size_t, Replacement>& replacements) const {
  std::string text;
  std::size_t at = 0;
  for (const auto& [place, replacement] : replacements) {
    text.append(text_, at, place - at).append(replacement.text);
    at = std::min(place, text_.size()) + replacement.length;
  }
  return text.append(text_, at);
}

}  // namespace moult::internal::diff
