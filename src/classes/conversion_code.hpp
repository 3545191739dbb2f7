// Which functions of an update serve a conversion of objects only. Pure: names are looked at and no program is read.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace moult::internal {

/// A function as the debug information has it. The types are written as the demangler writes them; "" when unknown.
struct NamedFunction {
  std::string demangled;
  std::string result;      ///< "Data_v2"
  std::string parameters;  ///< "(Data const&)"
};

/// The functions of one update that only its conversions run: moult's own templates for them, and the transformers that
/// these were made with.
class ConversionCode final {
 public:
  /// `names`: demangled, of functions of the update; converters among them tell the transformers.
  explicit ConversionCode(const std::vector<std::string>& names);

  bool has(const NamedFunction& function) const;

 private:
  bool is_transformer(std::string_view callable) const;

  std::vector<std::string> holders_;  ///< names of templates whose last argument is a transformer's type
  std::set<std::string> signatures_;  ///< of transformers in a std::function: "Data (Data_v2 const&)"
};

}  // namespace moult::internal
