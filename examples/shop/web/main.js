import { price } from "./price.js";

const list = document.getElementById("items");
const items = await fetch("/items").then((response) => response.json());
for (const item of items) {
  const row = document.createElement("li");
  row.textContent = `${item.name}: ${price(item.cents)}`;
  list.append(row);
}
