// What both updates export: the first one adds, the second finds.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "document.hpp"

/// A value that tells how many of its kind live.
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
  /// Holds a reference to the value until it is told to go on.
  void (*stay_inside)(Document& document, std::atomic<bool>& is_inside, const std::atomic<bool>& goes_on);
  std::string (*describe)(const Document& document);
};
