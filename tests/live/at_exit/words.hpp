#pragma once

#include <string>
#include <utility>

/// Words that are gone when it is destroyed, visibly.
struct Words {
  explicit Words(std::string its_text) : text(std::move(its_text)) {}
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;
  ~Words() { text = "(destroyed)"; }
  std::string text;
};

/// In the update's other source file.
const std::string& other_words();
