// The members of a JSON object, read without a tree.
//
// The destructor of a tree of nlohmann's values allocates, and without memory it ends the process. So the program under
// update reads requests event by event and keeps only strings, numbers, booleans and null, which own no other values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/json_members.hpp"

namespace moult::internal {

/// A member that is an object or an array stands for an empty array: requests have none.
class FlatObject final {
 public:
  /// Nothing if `text` is no JSON object. Throws std::bad_alloc.
  static std::optional<FlatObject> parse(std::string_view text);

  bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }
  /// The member must exist. Of several with one name, the last.
  const Json& operator[](std::string_view name) const noexcept { return *find(name); }

 private:
  class Reader;

  const Json* find(std::string_view name) const noexcept;

  std::vector<std::pair<std::string, Json>> members_;
};

}  // namespace moult::internal
