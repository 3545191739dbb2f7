// One line of JSON, written member after member.
//
// The program under update writes its replies and events with it, not with nlohmann's values: their destructor
// allocates, and without memory it ends the process. A writer keeps nothing but the text.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace moult::internal {

///   JsonWriter json;
///   json.object([&] {
///     json.member("name", report.name);
///     json.member("changes", report.changes);
///   });
///   send(std::move(json).text());
///
/// A value of another type is written by `put(JsonWriter&, const T&)`. Everything throws std::bad_alloc.
class JsonWriter final {
 public:
  /// Writes an object; `members` writes its members.
  template <class Members>
  void object(Members&& members) {
    begin('{');
    members();
    end('}');
  }

  template <class T>
  void member(std::string_view name, const T& value) {
    begin_member(name);
    write(value);
  }
  /// A member whose value is an object.
  template <class Members>
  void object_member(std::string_view name, Members&& members) {
    begin_member(name);
    object(std::forward<Members>(members));
  }
  /// A member whose value is JSON text already.
  void text_member(std::string_view name, std::string_view json);

  std::string text() && { return std::move(text_); }

 private:
  void begin(char bracket);
  void end(char bracket);
  void begin_member(std::string_view name);
  void separate();

  void write(std::string_view value);
  void write(const std::string& value) { write(std::string_view(value)); }
  void write(const char* value) { write(std::string_view(value)); }
  void write(std::same_as<bool> auto value) { text_ += value ? "true" : "false"; }
  void write(double value);
  void write(std::integral auto value) requires(!std::same_as<decltype(value), bool>) {
    text_ += std::to_string(value);
  }
  template <class T>
  void write(const std::vector<T>& values) {
    begin('[');
    for (const T& each : values) {
      separate();
      write(each);
    }
    end(']');
  }
  template <class T>
  requires std::is_class_v<T>
  void write(const T& value) { put(*this, value); }

  std::string text_;
  bool is_first_ = true;  ///< in the innermost object or array
};

}  // namespace moult::internal
