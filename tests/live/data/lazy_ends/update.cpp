// Both classes with one more field, and destructors of their own.
#include "update.hpp"

#include <utility>

#include "decks.hpp"

namespace {

std::atomic<int> ended{0};
moult::LazyObjects newest;

}  // namespace

class HandTwo : public moult::Updatable<HandTwo> {
 public:
  explicit HandTwo(std::uint64_t number);
  HandTwo(HandTwo&&) noexcept = default;
  ~HandTwo();
  std::uint64_t number() const;

  std::unique_ptr<std::uint64_t> card;
  std::vector<std::string> log;
  std::unique_ptr<std::uint64_t> more;
};

class DeckTwo : public moult::Updatable<DeckTwo> {
 public:
  explicit DeckTwo(std::uint64_t number);
  DeckTwo(DeckTwo&&) noexcept = default;
  ~DeckTwo();
  std::uint64_t number() const;

  std::string label;
  std::vector<std::string> log;
  std::string more;
};

template <>
inline constexpr bool moult::is_relocatable<HandTwo> = true;

HandTwo::HandTwo(std::uint64_t number)
    : card(std::make_unique<std::uint64_t>(number)),
      log{"a new hand"},
      more(std::make_unique<std::uint64_t>(number + 1000)) {}
HandTwo::~HandTwo() {
  if (more != nullptr) ++ended;  // unless it was moved from
}
std::uint64_t HandTwo::number() const { return *more; }

DeckTwo::DeckTwo(std::uint64_t number)
    : label(std::to_string(number)), log{"a new deck"}, more("new " + std::to_string(number + 1000)) {}
DeckTwo::~DeckTwo() {
  if (!more.empty()) ++ended;
}
std::uint64_t DeckTwo::number() const { return std::stoull(more.substr(4)); }

namespace {

/// They call no function of the old classes: calls reach the new ones' when they run.
HandTwo hand_two(const Hand& old) { return HandTwo(*old.card); }
Hand hand_one(const HandTwo& now) { return Hand(*now.card); }
DeckTwo deck_two(const Deck& old) { return DeckTwo(std::stoull(old.label)); }
Deck deck_one(const DeckTwo& now) { return Deck(std::stoull(now.label)); }

template <class Old, class New>
class Change final : public moult::LazyConversionUpdate<Old, New> {
 public:
  using moult::LazyConversionUpdate<Old, New>::LazyConversionUpdate;
  void apply() override {
    moult::LazyConversionUpdate<Old, New>::apply();
    newest = this->objects();
  }
};

template <class Old, class New>
std::unique_ptr<moult::Update> change(New (*there)(const Old&), Old (*back)(const New&)) {
  moult::ConversionOptions<Old, New> options{.rebind = moult::Rebind::yes, .inverse = back};
  return std::make_unique<Change<Old, New>>("change", there, options, moult::Untouched::left);
}

}  // namespace

extern "C" const LoadedUpdate loaded_update{
    .change_hands = [] { return change<Hand, HandTwo>(hand_two, hand_one); },
    .change_decks = [] { return change<Deck, DeckTwo>(deck_two, deck_one); },
    .objects = [] { return newest; },
    .new_ends = [] { return ended.load(); },
};
