#include "protocol/flat_object.hpp"

#include <algorithm>

namespace moult::internal {

/// What nlohmann's parser calls. False ends the parsing.
class FlatObject::Reader final : public nlohmann::json_sax<Json> {
 public:
  explicit Reader(FlatObject& object) noexcept : object_(object) {}

  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return depth_ == 0 ? (++depth_, true) : begin_nested(); }
  bool start_array(std::size_t) override { return depth_ > 0 && begin_nested(); }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }
  bool key(string_t& name) override {
    if (depth_ == 1) name_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool add(Json value) {
    if (depth_ == 1) object_.members_.emplace_back(std::move(name_), std::move(value));
    return depth_ > 0;
  }
  bool begin_nested() {
    add(Json::array());
    ++depth_;
    return true;
  }
  bool end() {
    --depth_;
    return true;
  }

  FlatObject& object_;
  std::string name_;
  std::size_t depth_ = 0;
};

std::optional<FlatObject> FlatObject::parse(std::string_view text) {
  FlatObject object;
  Reader reader(object);
  if (!Json::sax_parse(text, &reader)) return std::nullopt;
  return object;
}

const Json* FlatObject::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(members_.rbegin(), members_.rend(), name, &std::pair<std::string, Json>::first);
  return found == members_.rend() ? nullptr : &found->second;
}

}  // namespace moult::internal
