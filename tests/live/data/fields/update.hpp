// The exports of both updates: the first one adds, the second one finds.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "document.hpp"

/// A value that counts the living values.
struct Author {
  Author(std::string wanted, std::atomic<int>& count) : name(std::move(wanted)), alive(count) { ++alive; }
  Author(Author&& other) noexcept : name(std::move(other.name)), alive(other.alive) { ++alive; }
  ~Author() { --alive; }
  std::string name;
  std::atomic<int>& alive;
};

struct LoadedUpdate {
  std::unique_ptr<moult::Update> (*add)(std::atomic<int>& alive);
  std::string (*author_of)(const Document& document);
  /// Holds a reference to the value until the test lets it go on.
  void (*stay_inside)(Document& document, std::atomic<bool>& is_inside, const std::atomic<bool>& goes_on);
  std::string (*describe)(const Document& document);
};
