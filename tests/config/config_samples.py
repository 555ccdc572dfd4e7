"""A configuration that is right, for tests to break."""

GOOD = """\
region: eu-west-1
sets:
  - name: default
    accounts:
      governance: "111111111111"
      dev: "222222222222"
      preprod: "333333333333"
      prod: "444444444444"
network:
  cidr: 10.0.0.0/16
  azs: 3
  nat_gateways: 1
studio:
  data_scientists: [alice]
  lead_data_scientists: [lea]
tags:
  CostCenter: "0000"
"""
