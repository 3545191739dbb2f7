// Typed access to the members of a JSON object from another process. A wrong type is an Error that names the member.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "moult/error.hpp"

namespace moult::internal {

using Json = nlohmann::ordered_json;

/// `Object` is Json or another class with its `contains` and `operator[]`.
template <class Object>
class Members final {
 public:
  /// `object` must outlive this. Errors carry `code`.
  Members(const Object& object, ErrorCode code) : object_(object), code_(code) {}

  bool has(const char* name) const { return object_.contains(name); }

  std::string text(const char* name, std::string otherwise) const {
    return get(name, &Json::is_string, "a string", std::move(otherwise));
  }
  bool flag(const char* name, bool otherwise) const { return get(name, &Json::is_boolean, "true or false", otherwise); }
  double number(const char* name, double otherwise) const { return get(name, &Json::is_number, "a number", otherwise); }

  std::uint64_t count(const char* name, std::uint64_t otherwise, std::uint64_t most) const {
    if (!has(name)) return otherwise;
    const Json& member = object_[name];
    if (!member.is_number_unsigned() || member.get<std::uint64_t>() > most)
      fail(name, "a whole number from 0 to " + std::to_string(most));
    return member.get<std::uint64_t>();
  }
  std::uint64_t count(const char* name, std::uint64_t otherwise) const {
    return count(name, otherwise, std::numeric_limits<std::uint64_t>::max());
  }
  std::int64_t integer(const char* name, std::int64_t otherwise) const {
    return get(name, &Json::is_number_integer, "a whole number", otherwise);
  }

  /// The array of that name, or an empty one.
  const Json& array(const char* name) const {
    static const auto& empty = *new Json(Json::array());
    if (!has(name)) return empty;
    if (!object_[name].is_array()) fail(name, "an array");
    return object_[name];
  }

  [[noreturn]] void fail(const char* name, const std::string& wanted) const {
    throw Error(code_, "\"" + std::string(name) + "\" must be " + wanted);
  }

 private:
  template <class T, class Is>
  T get(const char* name, Is is, const char* wanted, T otherwise) const {
    if (!has(name)) return otherwise;
    const Json& member = object_[name];
    if (!(member.*is)()) fail(name, wanted);
    return member.get<T>();
  }

  const Object& object_;
  ErrorCode code_;
};

/// One line of JSON. Bytes that are no UTF-8 become replacement characters.
inline std::string to_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace moult::internal
