// A class's name, taken apart once: where a typeid or a demangled name enters moult. Everything below that border gets
// the value. Pure: reads no program and no debug information.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <typeinfo>

namespace moult::internal {

class ClassName final {
 public:
  ClassName() = default;
  /// `demangled` is spelled as the demangler spells it: "ns::Box<unsigned long>".
  explicit ClassName(std::string demangled);
  explicit ClassName(const std::type_info& type);

  const std::string& text() const noexcept { return text_; }
  /// "ns::Box<int>::" of "ns::Box<int>::Node"; empty for a global class.
  std::string_view scope() const { return std::string_view(text_).substr(0, scope_size_); }
  /// "Box" of "ns::Box<int>": the last component without template arguments.
  std::string_view identifier() const { return std::string_view(text_).substr(scope_size_, identifier_size_); }

  /// True for an instance of a template, and for a class nested in one. Compilers spell the arguments differently in
  /// debug information.
  bool has_template_arguments() const noexcept { return text_.find('<') != std::string::npos; }

  /// "make<ns::Data>" for "make", as the demangler writes it: "make<Box<int> >".
  std::string as_argument_of(std::string_view function_template) const;

  /// True if `member`, the name of a member function without its scope, is a constructor's or a destructor's: "Box",
  /// "~Box", "Box<int>", "Box(int)".
  bool names_constructor_or_destructor(std::string_view member) const;
  /// A necessary part of the mangled name of every member: "3Box". Empty if none is known.
  std::string mangled_part_of_members() const;

  bool operator==(const ClassName&) const = default;

 private:
  std::string text_;
  std::size_t scope_size_ = 0;
  std::size_t identifier_size_ = 0;
};

}  // namespace moult::internal
