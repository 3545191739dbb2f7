// Writes the numbers that it is given in Roman letters.
#include <moult/moult.hpp>

#include <iostream>
#include <string>

MOULT_UPDATABLE std::string roman(int number) {
  std::string letters;
  for (; number >= 10; number -= 10) letters += "X";
  if (number == 9) return letters + "IX";
  if (number == 4) return letters + "IV";
  if (number >= 5) letters += "V";
  return letters + std::string(number % 5, 'I');
}

MOULT_UPDATABLE void answer(int number) { std::cout << roman(number) << std::endl; }

int main() {
  const moult::Listener listener;
  for (int number = 0; std::cin >> number;) answer(number);
}
