// The test whether a function's name resembles a name that is unknown, for suggestions.
#pragma once

#include <string_view>
#include <unordered_map>

namespace moult::internal {

class SimilarName final {
 public:
  /// `identifier` is what functions' last names are compared with. It must outlive this, and the tested names too.
  explicit SimilarName(std::string_view identifier) noexcept : identifier_(identifier) {}

  /// False only when the last component of the function's name neither contains nor resembles the identifier, or when
  /// the function is one of the standard library or of moult, which headers bring into every program. Quick.
  bool may_fit(std::string_view mangled);
  bool fits(std::string_view demangled) const;

 private:
  std::string_view identifier_;
  std::unordered_map<std::string_view, bool> known_;  ///< by identifier; they come again and again
};

}  // namespace moult::internal
