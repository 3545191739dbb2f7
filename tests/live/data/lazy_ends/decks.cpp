#include "decks.hpp"

std::atomic<int> old_ends{0};

Hand::Hand(std::uint64_t number) : card(std::make_unique<std::uint64_t>(number)), log{"a hand"} {}
Hand::~Hand() {
  if (card != nullptr) ++old_ends;  // unless it was moved from
}
std::uint64_t Hand::number() const { return *card; }

Deck::Deck(std::uint64_t number) : label(std::to_string(number)), log{"a deck with a name that is no short one"} {}
Deck::~Deck() {
  if (!label.empty()) ++old_ends;
}
std::uint64_t Deck::number() const { return std::stoull(label); }
