// Counts pieces instead of boxes, of which a box has twelve, and knows the way back.
#include <iostream>

#include "stock.hpp"

class Stock_v2 : public moult::Updatable<Stock_v2> {
 public:
  explicit Stock_v2(int pieces);
  void take(int count);
  void show() const;
  void audit() const;
  int boxes() const;

 private:
  int count_;
};

MOULT_UPDATABLE Stock_v2::Stock_v2(int pieces) : count_(pieces) {}
MOULT_UPDATABLE void Stock_v2::take(int count) { count_ -= count; }
MOULT_UPDATABLE int Stock_v2::boxes() const { return count_ / 12; }
MOULT_UPDATABLE void Stock_v2::show() const { std::cout << "pieces: " << count_ << std::endl; }
MOULT_UPDATABLE void Stock_v2::audit() const {
  std::cout << "counting pieces" << std::endl;
  auditor_is_done.acquire();
  std::cout << "counted " << count_ << " pieces" << std::endl;
}

static Stock_v2 forward(const Stock& old) { return Stock_v2(old.boxes() * 12); }
static Stock backward(const Stock_v2& fresh) { return Stock(fresh.boxes()); }

MOULT_UPDATE {
  moult::threaded_manager("main").add_update(std::make_unique<moult::EagerConversionUpdate<Stock, Stock_v2>>(
      "stock", forward, moult::ConversionOptions<Stock, Stock_v2>{.rebind = moult::Rebind::yes, .inverse = backward}));
}
