// A stock of boxes: "show", "take N", "audit", which goes on in a thread until "done".
#include <iostream>
#include <string>
#include <thread>

#include "stock.hpp"

std::binary_semaphore auditor_is_done{0};

MOULT_UPDATABLE Stock::Stock(int boxes) : count_(boxes) {}
MOULT_UPDATABLE void Stock::take(int count) { count_ -= count; }
MOULT_UPDATABLE int Stock::boxes() const { return count_; }
MOULT_UPDATABLE void Stock::show() const { std::cout << "boxes: " << count_ << std::endl; }
MOULT_UPDATABLE void Stock::audit() const {
  std::cout << "counting boxes" << std::endl;
  auditor_is_done.acquire();
  std::cout << "counted " << count_ << " boxes" << std::endl;
}

int main() {
  const moult::Listener listener;
  const std::unique_ptr<Stock> stock = std::make_unique<Stock>(3);
  std::jthread auditor;
  for (std::string order; std::cin >> order;) {
    int count = 0;
    if (order == "take" && std::cin >> count) stock->take(count);
    if (order == "show") stock->show();
    if (order == "audit") auditor = std::jthread([&] { stock->audit(); });
    if (order == "done") auditor_is_done.release();
  }
}
