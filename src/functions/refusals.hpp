// Several reasons against one change.
#pragma once

#include <optional>
#include <string>

#include "moult/error.hpp"

namespace moult::internal {

/// Refusals are collected, so that the author sees all of them at once.
class Refusals final {
 public:
  void add(ErrorCode code, const std::string& text) {
    if (!code_) code_ = code;
    text_ += (text_.empty() ? "" : "\n") + text;
  }
  void add(const Error& error) { add(error.code(), error.what()); }
  bool empty() const noexcept { return !code_; }
  void throw_if_any() const {
    if (code_) throw Error(*code_, text_);
  }

 private:
  std::optional<ErrorCode> code_;
  std::string text_;
};

}  // namespace moult::internal
